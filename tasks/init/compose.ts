/** Services of compose files that are built. */

import type { Findings } from "./ci/findings.ts";
import type { WrittenBuild } from "./evidence.ts";
import { isKnown } from "./partial.ts";
import { fileOf, folderOf, joined, type Repository } from "./repository.ts";
import { expandVariables, splitAt, type VariableLookup } from "./shell.ts";
import {
  assignments,
  isMapping,
  linesOf,
  listOf,
  type Mapping,
  mapping,
  scalar,
  scalars,
  yamlDocuments,
} from "./yaml.ts";

const COMPOSE = /^(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$/;

/** How deep services extend each other. */
const DEPTH = 10;

/** Reads all compose files. */
export function readComposeFiles(repository: Repository, findings: Findings): void {
  const reader = new ComposeReader(repository, findings);
  for (const path of repository.files.filter((each) => COMPOSE.test(fileOf(each)))) {
    reader.read(path);
  }
}

/** Options of `build` that no recipe has. */
const UNSUPPORTED = [
  "extra_hosts",
  "shm_size",
  "ulimits",
  "isolation",
  "privileged",
  "entitlements",
];

class ComposeReader {
  readonly #documents = new Map<string, Mapping | undefined>();

  constructor(readonly repository: Repository, readonly findings: Findings) {}

  read(path: string): void {
    const document = this.#document(path);
    if (document === undefined) {
      this.findings.notes.add(`${path}: it is no YAML, and was not read`);
      return;
    }
    const folder = folderOf(path);
    const lookup = this.#environment(folder);
    for (const name of Object.keys(mapping(document.services))) {
      const service = this.#service(path, name, DEPTH);
      const { build } = service;
      if (build === undefined || build === null) continue;
      const options = expanded(typeof build === "string" ? { context: build } : build, lookup);
      if (options.dockerfile_inline !== undefined) {
        this.findings.notes.add(
          `${path}: ${name} has its Dockerfile inline and was left out: write it to a file`,
        );
        continue;
      }
      const own = expanded({ image: service.image, platform: service.platform }, lookup);
      if (options.args !== undefined) {
        options.args = assignments(options.args).map((text) => withValue(text, lookup));
      }
      const written = buildOf(
        path,
        name,
        options,
        own,
        mapping(expanded(document.secrets, lookup)),
      );
      this.findings.add(written);
    }
  }

  #document(path: string): Mapping | undefined {
    if (!this.#documents.has(path)) {
      const all = yamlDocuments(this.repository.read(path));
      this.#documents.set(path, all === undefined ? undefined : all[0] ?? {});
    }
    return this.#documents.get(path);
  }

  /** A service with what it extends, and in an override file with what it overrides. */
  #service(path: string, name: string, depth: number): Mapping {
    const own = mapping(mapping(this.#document(path)?.services)[name]);
    if (depth === 0) return own;
    const base = this.#overridden(path);
    const below = base === undefined ? {} : this.#service(base, name, depth - 1);
    const from = own.extends;
    if (from === undefined) return base === undefined ? own : mergedService(below, own);
    const file = scalar(mapping(from).file);
    const place = file === undefined ? path : joined(folderOf(path), file);
    const extended = this.#service(
      place,
      scalar(from) ?? scalar(mapping(from).service) ?? "",
      depth - 1,
    );
    return mergedService(mergedService(below, relocated(extended, place, path)), own);
  }

  /** The file beside that `compose.override.yaml` and its like stand on. */
  #overridden(path: string): string | undefined {
    const name = fileOf(path);
    if (/^(?:docker-)?compose\.ya?ml$/.test(name)) return undefined;
    return ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"]
      .map((each) => joined(folderOf(path), each))
      .find((each) => this.repository.files.includes(each));
  }

  /** Variables of the `.env` beside, where it is part of the repository. */
  #environment(folder: string): VariableLookup {
    const path = joined(folder, ".env");
    const text = this.repository.files.includes(path) ? this.repository.read(path) : "";
    const values = new Map(
      linesOf(text).filter((line) => !line.startsWith("#") && line.includes("=")).map((line) => {
        const [name, value] = splitAt(line.replace(/^export /, ""), "=");
        return [name.trim(), value.trim().replace(/^(["'])(.*)\1$/, "$2")];
      }),
    );
    return (name) => values.get(name);
  }
}

function mergedService(below: Mapping, above: Mapping): Mapping {
  const builds = [below.build, above.build].map((build) =>
    typeof build === "string" ? { context: build } : build
  );
  const [low, high] = builds;
  const build = isMapping(low) && isMapping(high) ? mergedBuild(low, high) : high ?? low;
  return { ...below, ...above, ...(build === undefined ? {} : { build }) };
}

function mergedBuild(below: Mapping, above: Mapping): Mapping {
  const args = [...assignments(below.args), ...assignments(above.args)];
  return { ...below, ...above, ...(args.length === 0 ? {} : { args }) };
}

/** A service of another folder's file: its build's paths start there. */
function relocated(service: Mapping, from: string, to: string): Mapping {
  const { build } = service;
  if (build === undefined || folderOf(from) === folderOf(to)) return service;
  const options = typeof build === "string" ? { context: build } : mapping(build);
  const up = folderOf(to) === "." ? "" : folderOf(to).split("/").map(() => "..").join("/");
  const context = joinedUp(up, joined(folderOf(from), scalar(options.context) ?? "."));
  return { ...service, build: { ...options, context } };
}

function joinedUp(up: string, path: string): string {
  return up === "" ? path : `${up}/${path}`;
}

/** An argument without a value has that of the environment. */
function withValue(text: string, lookup: VariableLookup): string {
  const value = text.includes("=") ? undefined : lookup(text);
  return value === undefined ? text : `${text}=${value}`;
}

function expanded(value: unknown, lookup: VariableLookup): Record<string, unknown> {
  const visit = (each: unknown, depth: number): unknown => {
    if (typeof each === "string") return expandVariables(each, lookup);
    if (Array.isArray(each)) return depth > 0 ? each.map((item) => visit(item, depth - 1)) : [];
    if (!isMapping(each) || depth === 0) return each;
    return Object.fromEntries(
      Object.entries(each).map(([key, item]) => [key, visit(item, depth - 1)]),
    );
  };
  return { ...mapping(visit(value, 20)) };
}

function buildOf(
  source: string,
  service: string,
  options: Mapping,
  { image, platform }: Mapping,
  secrets: Mapping,
): WrittenBuild {
  const tagged = scalar(image);
  const platforms = scalars(options.platforms);
  const ssh = assignments(options.ssh);
  return {
    source,
    trust: "compose",
    folder: folderOf(source),
    isFileInContext: true,
    name: service,
    context: scalar(options.context) ?? ".",
    file: scalar(options.dockerfile),
    target: scalar(options.target),
    network: scalar(options.network),
    args: assignments(options.args),
    platforms: platforms.length > 0 ? platforms : scalars(platform),
    secrets: listOf(options.secrets).flatMap((each) => secretOf(each, secrets)),
    ssh: typeof options.ssh === "string" ? [options.ssh] : ssh,
    cacheFrom: scalars(options.cache_from),
    cacheTo: scalars(options.cache_to),
    contexts: assignments(options.additional_contexts),
    labels: assignments(options.labels),
    references: [...(tagged === undefined ? [] : [tagged]), ...scalars(options.tags)],
    unsupported: UNSUPPORTED.filter((name) => options[name] !== undefined),
  };
}

/** A secret of a build, as docker writes it: where its value is stands at the top of the file. */
function secretOf(written: unknown, secrets: Mapping): string[] {
  const source = scalar(written) ?? scalar(mapping(written).source);
  if (source === undefined || !isKnown(source)) return [];
  const id = scalar(mapping(written).target) ?? source;
  const { file, environment } = mapping(secrets[source]);
  const path = scalar(file);
  if (path !== undefined) return [`id=${id},src=${path}`];
  return [`id=${id},env=${scalar(environment) ?? source}`];
}
