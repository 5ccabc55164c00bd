/** How CI files and compose files already build Dockerfiles, and where they push images. */

import { parseAll } from "@std/yaml";
import { fileOf, folderOf, joined, type Repository } from "./repository.ts";

/** One build of a Dockerfile that some file describes. */
export interface BuildHint {
  /** The Dockerfile and its context, relative to the repository. */
  readonly file: string;
  readonly context: string;
  readonly name?: string;
  readonly target?: string;
  readonly args?: Readonly<Record<string, string>>;
  /** The file that says so. */
  readonly source: string;
}

/** What was read. */
export interface Hints {
  readonly builds: readonly BuildHint[];
  /** The texts of all these files. */
  readonly text: string;
}

/** Reads what a repository's CI and compose files say of builds. */
export function hintsOf(repository: Repository): Hints {
  const workflows = repository.files.filter((path) =>
    /^\.github\/workflows\/.*\.ya?ml$/.test(path)
  );
  const gitlab = repository.files.filter((path) => /^\.gitlab-ci\.ya?ml$/.test(path));
  const compose = repository.files.filter((path) =>
    /^(?:docker-)?compose(?:\.[\w-]+)?\.ya?ml$/.test(fileOf(path))
  );
  const builds: BuildHint[] = [];
  for (const path of [...workflows, ...gitlab]) {
    for (const each of objectsIn(documents(repository.read(path)))) {
      builds.push(...actionBuild(each, path), ...commandBuilds(each, path));
    }
  }
  for (const path of compose) builds.push(...composeBuilds(repository.read(path), path));
  const texts = [...workflows, ...gitlab, ...compose].map(repository.read);
  return { builds, text: texts.join("\n") };
}

type Mapping = Readonly<Record<string, unknown>>;

function documents(text: string): readonly unknown[] {
  try {
    // GitLab's own tag is unknown to YAML; what it refers to is read where it stands.
    return parseAll(text.replace(/!reference\b/g, "")) as unknown[];
  } catch {
    return [];
  }
}

/** Every mapping, however deep. */
function* objectsIn(value: unknown): Generator<Mapping> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield value as Mapping;
  for (const each of Object.values(value)) yield* objectsIn(each);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

/** A step that uses docker/build-push-action. */
function actionBuild(step: Mapping, source: string): BuildHint[] {
  if (!/^docker\/build-push-action\b/.test(text(step.uses) ?? "")) return [];
  const options = (step.with ?? {}) as Mapping;
  const context = text(options.context)?.replace(/^\$\{\{.*\}\}$/, ".") ?? ".";
  const file = text(options.file) ?? joined(context, "Dockerfile");
  const name = tagName(text(options.tags)?.split(/[\n,]/)[0]);
  const target = text(options.target);
  return [hint(file, context, name, target, source)];
}

/** `docker build -t NAME -f FILE CONTEXT` in scripts. */
function commandBuilds(step: Mapping, source: string): BuildHint[] {
  const scripts = [step.run, step.script, step.before_script].flat(3).filter((each) =>
    typeof each === "string"
  );
  const commands = scripts.join("\n").replace(/\\\n/g, " ").split(/\n|&&|;/);
  return commands.flatMap((command) => {
    const match =
      /\b(?:docker|podman)\s+(?:buildx\s+)?build\s+(.*)|\bbuildah\s+(?:bud|build)\s+(.*)/.exec(
        command,
      );
    return match === null ? [] : [readCommand(match[1] ?? match[2] ?? "", source)];
  });
}

/** Options that take no value; every other one without `=` is followed by its value. */
const FLAGS = /^--(?:push|load|pull|no-cache|rm|squash|quiet|layers|force-rm|debug)$|^-q$/;

function readCommand(line: string, source: string): BuildHint {
  const words =
    line.match(/"[^"]*"|'[^']*'|\S+/g)?.map((word) => word.replace(/^["']|["']$/g, "")) ??
      [];
  const options = new Map<string, string>();
  let context = ".";
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (FLAGS.test(word)) continue;
    const [, name, value] = /^(--?[\w-]+)=(.*)$/.exec(word) ?? [];
    if (name !== undefined) options.set(name, options.get(name) ?? value!);
    else if (word.startsWith("-")) options.set(word, options.get(word) ?? words[++at] ?? "");
    else context = word;
  }
  const file = options.get("-f") ?? options.get("--file") ?? joined(context, "Dockerfile");
  const name = tagName(options.get("-t") ?? options.get("--tag"));
  return hint(file, context, name, options.get("--target"), source);
}

/** Services that are built. */
function composeBuilds(content: string, source: string): BuildHint[] {
  const services = documents(content).flatMap((each) =>
    Object.entries(((each as Mapping | null)?.services ?? {}) as Mapping)
  );
  return services.flatMap(([service, value]) => {
    const { build, image } = (value ?? {}) as Mapping;
    if (build === undefined) return [];
    const options = (typeof build === "string" ? { context: build } : build ?? {}) as Mapping;
    const context = joined(folderOf(source), text(options.context) ?? ".");
    const file = joined(context, text(options.dockerfile) ?? "Dockerfile");
    const args = argsOf(options.args);
    return [{
      ...hint(file, context, tagName(text(image)) ?? service, text(options.target), source),
      ...(args === undefined ? {} : { args }),
    }];
  });
}

/** Arguments whose values are written out; those from the environment are left to people. */
function argsOf(args: unknown): Record<string, string> | undefined {
  const pairs = Array.isArray(args)
    ? args.map((each) => String(each).split(/=(.*)/s).slice(0, 2))
    : Object.entries((args ?? {}) as Mapping);
  const known = pairs.filter(([, value]) => value != null && !String(value).includes("$"));
  if (known.length === 0) return undefined;
  return Object.fromEntries(known.map(([name, value]) => [name, String(value)]));
}

function hint(
  file: string,
  context: string,
  name: string | undefined,
  target: string | undefined,
  source: string,
): BuildHint {
  return {
    file: joined(".", file),
    context: joined(".", context),
    ...(name === undefined ? {} : { name }),
    ...(target === undefined ? {} : { target }),
    source,
  };
}

/** The repository's last part of `ghcr.io/acme/web:1`, where no variable stands in it. */
function tagName(tag: string | undefined): string | undefined {
  const name = tag?.replace(/@.*$/, "").replace(/:[^/]*$/, "").split("/").at(-1)?.trim();
  return name === undefined || name === "" || /[${}]/.test(name) ? undefined : name;
}
