/** Builds in GitLab's pipelines, with the files of the repository that they include. */

import { globMatcher } from "../../../lib/files/glob.ts";
import { readScript } from "../commands.ts";
import { CHECKOUT } from "../evidence.ts";
import { joined, type Repository } from "../repository.ts";
import { expandVariables } from "../shell.ts";
import {
  isMapping,
  listOf,
  type Mapping,
  mapping,
  REFERENCE,
  scalar,
  yamlDocuments,
} from "../yaml.ts";
import type { Findings } from "./findings.ts";
import { parallelMatrixOf } from "./matrix.ts";

const ROOT_FILES = [".gitlab-ci.yml", ".gitlab-ci.yaml"];

/** Keywords that are no jobs. */
const KEYWORDS = new Set([
  ...["default", "variables", "include", "stages", "workflow", "image", "services", "cache"],
  ...["before_script", "after_script", "spec"],
]);

const MOST_FILES = 200;
const DEPTH = 10;

/** Reads the pipeline. */
export function readPipeline(repository: Repository, findings: Findings): void {
  const root = ROOT_FILES.find((path) => repository.files.includes(path));
  if (root === undefined) return;
  const pipeline = new Pipeline(repository, findings);
  pipeline.load(root);
  pipeline.read();
}

class Pipeline {
  #jobs: Record<string, unknown> = {};
  readonly #sources = new Map<string, string>();
  readonly #loaded = new Set<string>();

  constructor(readonly repository: Repository, readonly findings: Findings) {}

  /** Included files first: what includes them overrides them. */
  load(path: string): void {
    if (this.#loaded.has(path) || this.#loaded.size >= MOST_FILES) return;
    this.#loaded.add(path);
    const documents = yamlDocuments(this.repository.read(path));
    if (documents === undefined) {
      this.findings.notes.add(`${path}: it is no YAML, and was not read`);
    }
    for (const document of documents ?? []) {
      for (const entry of listOf(document.include)) this.#include(entry, path);
      for (const [name, value] of Object.entries(document)) {
        const present = this.#jobs[name];
        this.#jobs[name] = isMapping(present) && isMapping(value) ? merged(present, value) : value;
        this.#sources.set(name, path);
      }
    }
  }

  #include(entry: unknown, from: string): void {
    const { local, project, remote, template, component } = mapping(entry);
    for (const place of listOf(local ?? scalar(entry))) {
      const path = scalar(place) ?? "";
      if (/^https?:\/\//.test(path)) this.#notRead(path, from);
      else this.#includeLocal(path, from);
    }
    const elsewhere = scalar(project) ?? scalar(remote) ?? scalar(template) ?? scalar(component);
    if (elsewhere !== undefined) this.#notRead(elsewhere, from);
  }

  #includeLocal(place: string, from: string): void {
    const path = joined(".", expandVariables(place, (name) => this.#predefined(name)));
    const matches = path.includes("*") ? globMatcher(path) : (each: string) => each === path;
    const paths = this.repository.files.filter(matches);
    if (paths.length === 0) this.#notRead(path, from);
    for (const each of paths) this.load(each);
  }

  #notRead(place: string, from: string): void {
    const shown = place.replaceAll("\0", "");
    this.findings.notes.add(
      `${from}: it includes ${shown}, which is not in this repository and was not read`,
    );
  }

  read(): void {
    for (const [name, job] of Object.entries(this.#jobs)) {
      if (KEYWORDS.has(name) || name.startsWith(".") || !isMapping(job)) continue;
      this.#job(this.#extended(job), this.#sources.get(name)!);
    }
  }

  #job(job: Mapping, source: string): void {
    const defaults = mapping(this.#jobs.default);
    const script = ["before_script", "script", "after_script"].flatMap((part) =>
      this.#lines(job[part] ?? (part === "script" ? [] : defaults[part] ?? this.#jobs[part]))
    ).join("\n");
    if (script === "") return;
    this.findings.texts.push(script);
    for (const combination of parallelMatrixOf(job.parallel)) {
      const variables = { ...texts(this.#jobs.variables), ...texts(job.variables), ...combination };
      const lookup = this.#lookup(variables);
      this.findings.addScript(readScript(script, lookup, source, "ci"), source);
    }
  }

  /** A job with what it extends, the last of a list over those before it. */
  #extended(job: Mapping, depth = DEPTH): Mapping {
    if (depth === 0) return job;
    return listOf(job.extends).reduceRight<Mapping>((whole, name) => {
      const base = this.#jobs[scalar(name) ?? ""];
      return isMapping(base) ? merged(this.#extended(base, depth - 1), whole) : whole;
    }, job);
  }

  /** Lines of a script, with those that are referred to. */
  #lines(script: unknown, depth = DEPTH): string[] {
    if (typeof script === "string") return [script];
    if (!Array.isArray(script) || depth === 0) return [];
    if (script[0] !== REFERENCE) return script.flatMap((line) => this.#lines(line, depth - 1));
    const [job, ...keys] = script.slice(1).map((each) => scalar(each) ?? "");
    let value: unknown = this.#jobs[job ?? ""];
    if (isMapping(value)) value = this.#extended(value);
    for (const key of keys) value = mapping(value)[key];
    return this.#lines(value, depth - 1);
  }

  #lookup(
    variables: Readonly<Record<string, string>>,
    depth = DEPTH,
  ): (name: string) => string | undefined {
    return (name) => {
      const own = variables[name];
      if (own === undefined) return this.#predefined(name);
      return depth === 0 ? own : expandVariables(own, this.#lookup(variables, depth - 1));
    };
  }

  #predefined(name: string): string | undefined {
    const { owner, title, host } = this.repository;
    const registry = host === "gitlab.com" || host === undefined || host === "github.com"
      ? "registry.gitlab.com"
      : `registry.${host}`;
    switch (name) {
      case "CI_PROJECT_DIR":
        return CHECKOUT;
      case "CI_REGISTRY":
        return registry;
      case "CI_PROJECT_NAME":
        return title.toLowerCase();
      case "CI_PROJECT_NAMESPACE":
        return owner;
      case "CI_PROJECT_PATH":
        return owner === undefined ? undefined : `${owner}/${title}`;
      case "CI_REGISTRY_IMAGE":
        return owner === undefined ? undefined : `${registry}/${owner}/${title}`.toLowerCase();
      default:
        return undefined;
    }
  }
}

/** Variables, some of which are written as `{ value, description }`. */
function texts(variables: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(mapping(variables)).flatMap(([name, value]): [string, string][] => {
      const text = scalar(value) ?? scalar(mapping(value).value);
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

function merged(below: Mapping, above: Mapping): Mapping {
  const whole: Record<string, unknown> = { ...below };
  for (const [name, value] of Object.entries(above)) {
    const present = whole[name];
    whole[name] = isMapping(present) && isMapping(value) ? merged(present, value) : value;
  }
  return whole;
}
