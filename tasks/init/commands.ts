/** Builds and uploads among the commands of scripts. */

import { CHECKOUT, type Trust, type WrittenBuild } from "./evidence.ts";
import { type ShellCommand, shellCommands, splitAt, type VariableLookup } from "./shell.ts";

/** What scripts do with images. */
export interface ScriptFindings {
  readonly builds: readonly WrittenBuild[];
  /** References that are uploaded. */
  readonly pushed: readonly string[];
  /** Other names that images are given, as `[from, to]`. */
  readonly renamed: readonly (readonly [string, string])[];
  /** Calls of bake: its files, targets and what is set. */
  readonly bakes: readonly BakeCall[];
}

/** A call of `docker buildx bake`. */
export interface BakeCall {
  readonly folder: string;
  readonly files: readonly string[];
  readonly targets: readonly string[];
  /** `TARGET.KEY=value`. */
  readonly set: readonly string[];
  readonly pushes: boolean;
}

/** Options without a value; every other one without `=` is followed by its value. */
const FLAGS = new Set([
  ...["push", "load", "pull", "no-cache", "rm", "squash", "quiet", "layers", "force-rm", "debug"],
  ...["compress", "check", "disable-content-trust", "pull-always", "pull-never", "no-hosts", "q"],
  ...["all-platforms", "stdin", "skip-unused-stages", "http-proxy", "identity-label", "D", "print"],
  ...["tls-verify", "sign-by-none", "omit-history", "inherit-labels", "squash-all", "save-stages"],
]);

/** What a build is called with besides what recipes have. */
const UNSUPPORTED = new Set([
  ...["add-host", "shm-size", "ulimit", "cgroup-parent", "allow", "memory", "device", "cap-add"],
  ...["volume", "v", "isolation", "security-opt", "env", "entitlement", "sysctl"],
]);

/** Options of kaniko's executor that have a value. */
const KANIKO = new Set([
  ...["context", "c", "dockerfile", "f", "destination", "d", "build-arg", "target", "label"],
  ...["custom-platform", "customPlatform", "context-sub-path", "cache-repo", "registry-mirror"],
]);

/** Reads a script. */
export function readScript(
  script: string,
  lookup: VariableLookup,
  source: string,
  trust: Trust,
  folder = ".",
): ScriptFindings {
  const builds: WrittenBuild[] = [];
  const pushed: string[] = [];
  const renamed: [string, string][] = [];
  const bakes: BakeCall[] = [];
  for (const command of shellCommands(script, lookup, folder)) {
    const words = withoutRedirections(command.words);
    const [program = "", ...rest] = words;
    const tool = program.slice(program.lastIndexOf("/") + 1);
    if (tool === "executor" || tool === "kaniko") {
      builds.push(kanikoBuild(rest, command, source, trust));
    } else if (["docker", "podman", "buildah", "nerdctl", "img"].includes(tool)) {
      const { verb, options } = subcommand(rest);
      if (["build", "bud", "b"].includes(verb)) {
        builds.push(commandBuild(options, command, source, trust));
      } else if (verb === "bake") bakes.push(bakeCall(options, command));
      else if (verb === "push") pushed.push(...operands(options).slice(0, 2).map(withoutTransport));
      else if (verb === "tag") renamed.push(operands(options).slice(0, 2) as [string, string]);
    } else if (tool === "skopeo" && rest[0] === "copy") {
      const [from, to] = operands(rest.slice(1));
      if (to?.startsWith("docker://")) {
        pushed.push(withoutTransport(to));
        if (from !== undefined) renamed.push([withoutTransport(from), withoutTransport(to)]);
      }
    }
  }
  return { builds, pushed, renamed: renamed.filter(([, to]) => to !== undefined), bakes };
}

function withoutTransport(reference: string): string {
  return reference.replace(/^(?:docker|docker-daemon|containers-storage):(?:\/\/)?/, "");
}

function withoutRedirections(words: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const [whole, target] = /^[0-9]?(?:>>|>|<<<|<)(.*)$/s.exec(words[at]!) ?? [];
    if (whole === undefined) kept.push(words[at]!);
    else if (target === "") at += 1;
  }
  return kept;
}

/** The verb behind `buildx`, `image`, `builder`, `manifest` and global options. */
function subcommand(words: readonly string[]): { verb: string; options: readonly string[] } {
  let at = 0;
  while (at < words.length) {
    const word = words[at]!;
    if (
      ["--context", "--host", "-H", "-c", "--config", "--log-level", "-l", "--root", "--builder"]
        .includes(word)
    ) at += 2;
    else if (word.startsWith("-") || ["buildx", "image", "builder"].includes(word)) at += 1;
    else break;
  }
  return { verb: words[at] ?? "", options: words.slice(at + 1) };
}

interface Options {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
}

function readOptions(words: readonly string[], hasValue: (name: string) => boolean): Options {
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  const add = (name: string, value: string) => values.set(name, [...values.get(name) ?? [], value]);
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "-" || !word.startsWith("-")) {
      operands.push(word);
      continue;
    }
    const [name, value] = splitAt(word.replace(/^--?/, ""), "=");
    if (word.includes("=") && (word.startsWith("--") || name.length === 1)) add(name, value);
    else if (!word.startsWith("--") && word.length > 2 && hasValue(word[1]!)) {
      add(word[1]!, word.slice(2));
    } else if (hasValue(name)) add(name, words[++at] ?? "");
    else add(name, "true");
  }
  return { values, operands };
}

function operands(words: readonly string[]): readonly string[] {
  const flags = ["q", "quiet", "a", "all", "all-tags", "all-platforms", "insecure-policy"];
  const boolean = new Set([...FLAGS, ...flags, "remove-signatures", "force"]);
  return readOptions(words, (name) => !boolean.has(name)).operands;
}

function commandBuild(
  words: readonly string[],
  { folder, lookup }: ShellCommand,
  source: string,
  trust: Trust,
): WrittenBuild {
  const { values, operands } = readOptions(words, (name) => !FLAGS.has(name));
  const all = (...names: string[]) => names.flatMap((name) => values.get(name) ?? []);
  const last = (...names: string[]) => all(...names).at(-1);
  const outputs = all("output", "o").join(",");
  return {
    source,
    trust,
    folder,
    context: operands[0] ?? ".",
    file: last("file", "f"),
    target: last("target"),
    network: last("network"),
    args: all("build-arg").map((text) => text.includes("=") ? text : fromEnvironment(text, lookup)),
    platforms: all("platform").flatMap((text) => text.split(",")),
    secrets: all("secret"),
    ssh: all("ssh"),
    cacheFrom: all("cache-from"),
    cacheTo: all("cache-to"),
    contexts: all("build-context"),
    labels: all("label"),
    annotations: all("annotation"),
    references: [...all("tag", "t"), ...all("manifest"), ...outputNames(outputs)],
    pushes: last("push") === "true" || /(?:^|,)(?:type=registry|push=true)(?:,|$)/.test(outputs),
    unsupported: [...values.keys()].filter((name) => UNSUPPORTED.has(name)),
  };
}

function outputNames(outputs: string): string[] {
  return outputs.split(",").filter((part) => part.startsWith("name=")).map((part) => part.slice(5));
}

/** `--build-arg NAME` takes the value of the environment, where a file writes it. */
function fromEnvironment(name: string, lookup: VariableLookup): string {
  const value = lookup(name);
  return value === undefined ? name : `${name}=${value}`;
}

function kanikoBuild(
  words: readonly string[],
  { folder, lookup }: ShellCommand,
  source: string,
  trust: Trust,
): WrittenBuild {
  const { values } = readOptions(words, (name) => KANIKO.has(name));
  const all = (...names: string[]) => names.flatMap((name) => values.get(name) ?? []);
  const last = (...names: string[]) => all(...names).at(-1);
  const context = (last("context", "c") ?? CHECKOUT).replace(/^dir:\/\//, "");
  const below = last("context-sub-path");
  return {
    source,
    trust,
    folder,
    context: below === undefined ? inWorkspace(context) : `${inWorkspace(context)}/${below}`,
    file: last("dockerfile", "f")?.replace(/^\/workspace(?=\/|$)/, CHECKOUT),
    target: last("target"),
    args: all("build-arg").map((text) => text.includes("=") ? text : fromEnvironment(text, lookup)),
    platforms: all("custom-platform", "customPlatform"),
    labels: all("label"),
    references: all("destination", "d"),
    pushes: !values.has("no-push"),
  };
}

/** Kaniko's own default is /workspace. */
function inWorkspace(context: string): string {
  return context.replace(/^\/workspace(?=\/|$)/, CHECKOUT);
}

function bakeCall(words: readonly string[], { folder }: ShellCommand): BakeCall {
  const { values, operands } = readOptions(words, (name) => !FLAGS.has(name));
  return {
    folder,
    files: [...values.get("file") ?? [], ...values.get("f") ?? []],
    targets: operands,
    set: values.get("set") ?? [],
    pushes: values.has("push"),
  };
}
