/** From what images.ts declared to a project: every default filled in, every fault found. */

import { literalPattern } from "../files/selection.ts";
import { isCacheTag } from "../model/key.ts";
import type { Place } from "../model/errors.ts";
import { formatPlatform, hostPlatform, isPlatform, parsePlatform } from "../model/platform.ts";
import {
  type CommonOptions,
  type Image,
  NAME_PATTERN,
  type Project,
  type Registry,
  type Task,
} from "../model/recipe.ts";
import { manifestOf, type Projection } from "../model/projection.ts";
import { isRegistryHost, isRepository, isTag } from "../model/reference.ts";
import { checkNames } from "./check_names.ts";
import { checkOptions } from "./check_options.ts";
import { COMMON, DEFINITION, REGISTRY, TASK } from "./common_shape.ts";
import { type Defined, WrittenRecipe, WrittenRegistry, WrittenTask } from "./define.ts";
import { Findings } from "./findings.ts";
import { kindIn, type Shape } from "./shape.ts";

type Parts = Pick<Project, "registries" | "tasks" | "images" | "groups" | "gitAnnotations">;

/**
 * Checks a definition and fills in its defaults.
 *
 * @throws {Fault} that points at every fault.
 */
export function checkDefinition(defined: Defined): Parts {
  const findings = new Findings();
  if (typeof defined.fields !== "object" || defined.fields === null) {
    findings.add(
      "define() is given no object",
      defined.origin,
      {},
      "write `define({ images: { … } })`",
    );
  }
  findings.throwIfAny();
  checkOptions(findings, () => "define()", defined.origin, defined.fields, DEFINITION);
  findings.throwIfAny();
  const registries = entries(defined, "registries", findings, WrittenRegistry, "registry(…)");
  const tasks = entries(defined, "tasks", findings, WrittenTask, "task({ … })");
  const images = entries(
    defined,
    "images",
    findings,
    WrittenRecipe,
    "a recipe such as files({ … })",
  );
  const groups = groupsOf(defined, findings);
  for (const name of [...tasks.keys(), ...images.keys(), ...groups.keys()]) {
    checkName(defined, findings, name);
  }
  const parts: Parts = {
    registries: mapValues(registries, (written, name) => registryOf(findings, name, written)),
    tasks: mapValues(tasks, (written, name) => taskOf(findings, name, written)),
    images: mapValues(images, (written, name) => imageOf(findings, name, written)),
    groups,
    gitAnnotations: defined.fields.gitAnnotations !== false,
  };
  findings.throwIfAny();
  checkNames(findings, defined, parts, { tasks, images });
  findings.throwIfAny();
  return parts;
}

/** The members of one table of the definition; what is undefined was left out by a condition. */
function entries<T>(
  defined: Defined,
  table: string,
  findings: Findings,
  // deno-lint-ignore no-explicit-any
  kind: new (...args: any[]) => T,
  wanted: string,
): Map<string, T> {
  const found = new Map<string, T>();
  for (const [name, value] of Object.entries(defined.fields[table] ?? {})) {
    if (value instanceof kind) found.set(name, value);
    else if (value !== undefined) {
      const pointer = { keys: [table, name] };
      findings.add(
        `"${name}" in ${table} is not made by ${wanted}`,
        defined.origin,
        pointer,
        `write ${name}: ${wanted}`,
      );
    }
  }
  return found;
}

function groupsOf(defined: Defined, findings: Findings): Map<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>();
  for (const [name, members] of Object.entries(defined.fields.groups ?? {})) {
    if (Array.isArray(members) && members.every((each) => typeof each === "string")) {
      groups.set(name, members);
    } else {
      const pointer = { keys: ["groups", name] };
      findings.add(
        `Group "${name}" is not a list of names`,
        defined.origin,
        pointer,
        "give a list of strings",
      );
    }
  }
  return groups;
}

function checkName(defined: Defined, findings: Findings, name: string): void {
  if (NAME_PATTERN.test(name)) return;
  findings.add(
    `"${name}" cannot be a name`,
    defined.origin,
    { keys: [tableOf(defined, name), name] },
    "use lower-case letters and digits, with single . _ or - between them",
  );
}

function tableOf(defined: Defined, name: string): string {
  const tables = ["images", "tasks", "groups"];
  return tables.find((table) => Object.hasOwn(defined.fields[table] ?? {}, name)) ?? "images";
}

function registryOf(findings: Findings, name: string, written: WrittenRegistry): Registry {
  const subject = `Registry "${name}"`;
  checkOptions(findings, () => subject, written.origin, written.options, REGISTRY);
  const [host = "", ...rest] = String(written.address).replace(/\/+$/, "").split("/");
  const prefix = rest.join("/");
  const isAddress = isRegistryHost(host) &&
    (prefix === "" || isRepository(prefix.toLowerCase()));
  if (!isAddress) {
    const message = `${subject} has the address "${written.address}", which is no host with a path`;
    findings.add(
      message,
      written.origin,
      { word: written.address },
      'write it as "ghcr.io/your-org"',
    );
  }
  const options = written.options as Partial<Registry>;
  const declared = {
    host,
    prefix: prefix.toLowerCase(),
    ...(options.visibility === undefined ? {} : { visibility: options.visibility }),
    compression: options.compression ?? "gzip",
    insecure: options.insecure ?? false,
    trustPullRequests: options.trustPullRequests ?? false,
  };
  return placed(declared, () => findings.place(written.origin));
}

function taskOf(findings: Findings, name: string, written: WrittenTask): Task {
  checkOptions(findings, () => `Task "${name}"`, written.origin, written.options, TASK);
  const options = written.options as Partial<Task>;
  for (const output of options.outputs ?? []) {
    if (!/^(?:\.\/)*(?:\*|!|$)/.test(output)) continue;
    findings.add(
      `Output "${output}" of task "${name}" may match any file, and outputs are removed before it runs`,
      written.origin,
      { keys: ["outputs"], word: output },
      'name the folder first, as in "dist/**"',
    );
  }
  const declared = {
    name,
    ...(options.inputs === undefined ? {} : inputsOf(options.inputs)),
    outputs: options.outputs ?? [],
    needs: options.needs ?? [],
    hostEnv: options.hostEnv ?? [],
    cwd: options.cwd ?? ".",
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    run: options.run ?? [],
  };
  return placed(declared, () => findings.place(written.origin));
}

function imageOf(findings: Findings, name: string, written: WrittenRecipe): Image {
  const { plugin, shape, options, origin } = written;
  const subject = () => `Image "${name}"`;
  const { own, common } = apart(options);
  if (shape === undefined) checkOptions(findings, subject, origin, common, COMMON);
  else checkOptions(findings, subject, origin, options, acceptedBy(shape));
  const references = Object.entries(own).flatMap(([key, value]) => {
    const kind = kindIn(shape ?? {}, key);
    return kind?.images !== undefined && kind.accepts(value) ? kind.images(value) : [];
  });
  const declared = {
    name,
    plugin,
    common: commonOf(findings, name, written, common),
    options: own,
    references: [...new Set(references)],
  };
  return placed(declared, () => findings.place(origin));
}

/** A plugin's own options, and those of every recipe. */
function apart(options: Readonly<Record<string, unknown>>) {
  const own: Record<string, unknown> = {};
  const common: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (kindIn(COMMON, name) !== undefined) common[name] = value;
    else if (value !== undefined) own[name] = value;
  }
  return { own, common: common as Partial<CommonOptions> };
}

const accepted = new WeakMap<Shape, Shape>();

/** A plugin's options and those of every recipe; made once, for there may be thousands of images. */
function acceptedBy(shape: Shape): Shape {
  const known = accepted.get(shape);
  if (known !== undefined) return known;
  const both = { ...COMMON, ...shape };
  accepted.set(shape, both);
  return both;
}

function commonOf(
  findings: Findings,
  name: string,
  { origin }: WrittenRecipe,
  options: Partial<CommonOptions>,
): CommonOptions {
  const list = <T>(value: readonly T[] | undefined, fallback: readonly T[]) =>
    Array.isArray(value) ? value as readonly T[] : fallback;
  const written = String(options.repository ?? name);
  const repository = written.toLowerCase();
  // Of a name that cannot be one it has been said already.
  const isFault = options.repository !== undefined || NAME_PATTERN.test(name);
  if (isFault && !isRepository(repository)) {
    const message = `Image "${name}" has the repository "${written}", which cannot be one`;
    const next = "use lower-case letters, digits and . _ - between them, with / between parts";
    findings.add(message, origin, { keys: ["repository"] }, next);
  }
  for (const tag of list(options.tags, [])) {
    if (isTag(tag.replace(/\{(?:revision|branch|git-tag)\}/g, "x")) && !isCacheTag(tag)) continue;
    findings.add(
      `Image "${name}" has the tag "${tag}", which cannot be one`,
      origin,
      { keys: ["tags"], word: tag },
      "use letters, digits, _ . and -, not content-… or source-…; {revision}, {branch} and {git-tag} are filled in",
    );
  }
  return {
    needs: list(options.needs, []),
    ...inputsOf(list(options.inputs, [])),
    hostEnv: list(options.hostEnv, []),
    platforms: options.platforms === undefined
      ? HOST
      : [...new Set(list(options.platforms, HOST).map(normalPlatform))],
    ...(options.registries === undefined ? {} : { registries: options.registries }),
    repository,
    tags: [...new Set(list(options.tags, ["latest"]))],
    labels: options.labels ?? {},
    annotations: options.annotations ?? {},
    created: options.created ?? 0,
    ...(options.expect === undefined ? {} : { expect: options.expect }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
  };
}

/** Globs, and apart from them the projections, whose files are inputs too. */
function inputsOf(written: readonly (string | Projection)[]) {
  const projections = written.filter((each) => typeof each !== "string");
  if (projections.length === 0) return { inputs: written as readonly string[] };
  const inputs = written.flatMap((each) => {
    if (typeof each === "string") return [each];
    if (typeof each.path !== "string") return [];
    const manifest = manifestOf(each);
    return [each.path, ...(manifest === undefined ? [] : [manifest])].map(literalPattern);
  });
  return { inputs, projections };
}

const HOST: readonly string[] = [hostPlatform()];

/** What is no platform has been found by its shape. */
function normalPlatform(text: string): string {
  return isPlatform(text) ? formatPlatform(parsePlatform(text)) : text;
}

/** Rendering a stack costs more than all else: it waits until somebody wants to know. */
class Placed {
  readonly #find: () => Place | undefined;
  #known: { readonly place: Place | undefined } | undefined;

  constructor(find: () => Place | undefined) {
    this.#find = find;
  }

  get place(): Place | undefined {
    return (this.#known ??= { place: this.#find() }).place;
  }
}

function placed<T extends object>(
  value: T,
  find: () => Place | undefined,
): T & { readonly place?: Place } {
  return Object.assign(new Placed(find) as { readonly place?: Place }, value);
}

function mapValues<A, B>(map: ReadonlyMap<string, A>, change: (value: A, name: string) => B) {
  const changed = new Map<string, B>();
  for (const [name, value] of map) changed.set(name, change(value, name));
  return changed;
}
