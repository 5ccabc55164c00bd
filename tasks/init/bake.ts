/** Targets of bake files. */

import { globMatcher } from "../../lib/files/glob.ts";
import type { Findings } from "./ci/findings.ts";
import { matrixOf } from "./ci/matrix.ts";
import type { BakeCall } from "./commands.ts";
import type { WrittenBuild } from "./evidence.ts";
import { blocksOf, expandTemplate, parseBakeFile, type TemplateLookup } from "./hcl.ts";
import { isKnown } from "./partial.ts";
import { fileOf, folderOf, joined, type Repository } from "./repository.ts";
import { splitAt } from "./shell.ts";
import { assignments, isMapping, listOf, type Mapping, mapping, scalar } from "./yaml.ts";

const BAKE = /^(?:docker-)?bake(?:\.override)?\.(?:hcl|json)$|\.bake\.(?:hcl|json)$/;

/** How deep targets inherit and groups hold each other. */
const DEPTH = 20;

type Call = BakeCall & { readonly source: string };

/** Reads all bake files, those that CI calls as CI does. */
export async function readBakeFiles(repository: Repository, findings: Findings): Promise<void> {
  const called = findings.bakes.flatMap((call) =>
    call.files.filter(isKnown).map((file) => joined(call.folder, file))
  );
  const paths = repository.files.filter((path) =>
    BAKE.test(fileOf(path)) || (called.includes(path) && /\.(?:hcl|json)$/.test(path))
  );
  for (const all of Map.groupBy(paths, folderOf).values()) {
    const documents: Mapping[] = [];
    for (const path of all) {
      try {
        documents.push(await parseBakeFile(path, repository.read(path)));
      } catch (error) {
        findings.notes.add(`${path}: it was not read: ${firstLine((error as Error).message)}`);
      }
    }
    const calls = findings.bakes.filter((call) => isOf(call, all));
    if (documents.length > 0) new BakeReader(all[0]!, documents, calls, findings).read();
  }
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}

function isOf({ folder, files }: BakeCall, paths: readonly string[]): boolean {
  if (files.length > 0) return files.some((file) => paths.includes(joined(folder, file)));
  return folderOf(paths[0]!) === joined(".", folder);
}

class BakeReader {
  readonly #targets = new Map<string, Mapping>();
  readonly #groups = new Map<string, Mapping>();
  readonly #variables = new Map<string, unknown>();

  constructor(
    readonly path: string,
    documents: readonly Mapping[],
    readonly calls: readonly Call[],
    readonly findings: Findings,
  ) {
    for (const document of documents) {
      for (const [name, target] of blocksOf(document, "target")) {
        this.#targets.set(name, inherited(this.#targets.get(name) ?? {}, target));
      }
      for (const [name, group] of blocksOf(document, "group")) this.#groups.set(name, group);
      for (const [name, value] of blocksOf(document, "variable")) {
        this.#variables.set(name, value.default ?? null);
      }
    }
  }

  read(): void {
    const bases = new Set([...this.#targets.values()].flatMap((it) => texts(it.inherits)));
    const called = new Set(
      this.calls.flatMap(({ targets }) => targets.length === 0 ? ["default"] : targets)
        .flatMap((name) => this.#members(name)),
    );
    const grouped = new Set([...this.#groups.keys()].flatMap((name) => this.#members(name)));
    const used = new Set([...this.#targets.keys()].flatMap((name) => {
      const contexts = Object.values(mapping(this.#whole(name).contexts));
      return contexts.flatMap((each) => scalar(each)?.match(/^target:(.+)$/)?.[1] ?? []);
    }));
    for (const name of this.#targets.keys()) {
      const isAsked = called.has(name) || grouped.has(name) || used.has(name);
      if (!isAsked && (name.startsWith("_") || bases.has(name) || grouped.size > 0)) {
        const own = this.#targets.get(name)!;
        if (name.startsWith("_") || own.tags === undefined) continue;
      }
      this.#target(name, called.has(name));
    }
  }

  /** The targets that a group or a target's name stands for. */
  #members(name: string, depth = DEPTH): string[] {
    const group = this.#groups.get(name);
    if (group === undefined || depth === 0) return this.#targets.has(name) ? [name] : [];
    return texts(group.targets).flatMap((each) => this.#members(each, depth - 1));
  }

  #target(name: string, isCalled: boolean): void {
    const target = this.#whole(name);
    for (const values of matrixOf(target.matrix)) {
      const lookup = this.#lookup(values);
      const own = scalar(target.name);
      const label = own === undefined ? name : expandTemplate(own, lookup);
      const set = (isCalled ? this.calls : []).flatMap((call) => call.set).map((text) =>
        splitAt(text, "=")
      );
      const options = this.#expanded(target, lookup);
      for (const [place, value] of set) override(options, place, value, label);
      const output = texts(options.output).join(",");
      if (/(?:^|,)(?:type=)?(?:cacheonly|local|tar)\b|dest=/.test(output) || isFolder(output)) {
        this.findings.notes.add(
          `${this.path}: the target ${label} makes no image, and was left out`,
        );
        continue;
      }
      if (options["dockerfile-inline"] !== undefined) {
        this.findings.notes.add(
          `${this.path}: ${label} has its Dockerfile inline and was left out: write it to a file`,
        );
        continue;
      }
      const pushes = isCalled && this.calls.some((call) => call.pushes);
      this.findings.add(this.#build(label, options, isCalled, pushes));
    }
  }

  #whole(name: string, depth = DEPTH): Mapping {
    const own = this.#targets.get(name) ?? {};
    if (depth === 0) return own;
    const { inherits, ...rest } = own;
    const below = texts(inherits).reduce<Mapping>(
      (whole, base) => inherited(whole, this.#whole(base, depth - 1)),
      {},
    );
    const { matrix: _matrix, name: _name, ...base } = below;
    return inherited(base, rest);
  }

  #lookup(values: Readonly<Record<string, string>>, depth = DEPTH): TemplateLookup {
    return (name) => {
      if (values[name] !== undefined) return values[name];
      if (!this.#variables.has(name)) return undefined;
      const value = this.#variables.get(name);
      const text = scalar(value);
      if (text === undefined || depth === 0) return value === null ? "" : undefined;
      return expandTemplate(text, this.#lookup(values, depth - 1));
    };
  }

  #expanded(target: Mapping, lookup: TemplateLookup): Record<string, unknown> {
    const visit = (value: unknown, depth: number): unknown => {
      if (typeof value === "string") {
        return this.#isUnset(value) ? undefined : expandTemplate(value, lookup);
      }
      if (Array.isArray(value)) return value.map((each) => visit(each, depth - 1));
      if (!isMapping(value) || depth <= 0) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, each]) => [key, visit(each, depth - 1)]),
      );
    };
    return { ...mapping(visit(target, DEPTH)) };
  }

  /** A variable that is null leaves an option as if it were not written. */
  #isUnset(text: string): boolean {
    const name = /^\$\{(\w+)\}$/.exec(text)?.[1];
    return name !== undefined && this.#variables.get(name) === null;
  }

  #build(name: string, options: Mapping, isCalled: boolean, pushes: boolean): WrittenBuild {
    return {
      source: isCalled ? `${this.path}, ${this.calls[0]!.source}` : this.path,
      trust: isCalled ? "ci" : "bake",
      folder: this.calls[0]?.folder ?? folderOf(this.path),
      isFileInContext: true,
      name,
      context: scalar(options.context) ?? ".",
      file: scalar(options.dockerfile),
      target: scalar(options.target),
      network: scalar(options.network),
      args: assignments(options.args),
      platforms: texts(options.platforms),
      secrets: texts(options.secret),
      ssh: texts(options.ssh),
      cacheFrom: texts(options["cache-from"]),
      cacheTo: texts(options["cache-to"]),
      contexts: assignments(options.contexts),
      labels: assignments(options.labels),
      annotations: texts(options.annotations),
      references: texts(options.tags),
      pushes,
      unsupported: ["shm-size", "ulimits", "entitlements", "extra-hosts"].filter((key) =>
        options[key] !== undefined
      ),
    };
  }
}

/** Texts of a list; an object is written as docker's own `key=value,…`. */
function texts(value: unknown): string[] {
  return listOf(value).flatMap((each) => {
    const text = scalar(each);
    if (text !== undefined) return text === "" ? [] : [text];
    const pairs = Object.entries(mapping(each)).flatMap(([key, item]) => {
      const shown = scalar(item);
      return shown === undefined ? [] : [`${key}=${shown}`];
    });
    return pairs.length === 0 ? [] : [pairs.join(",")];
  });
}

function isFolder(output: string): boolean {
  return output !== "" && !output.includes("=");
}

/** A target over another one; maps are united. */
function inherited(below: Mapping, above: Mapping): Mapping {
  const whole: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const present = whole[key];
    whole[key] = isMapping(present) && isMapping(value) ? { ...present, ...value } : value;
  }
  return whole;
}

const LISTS: Readonly<Record<string, string>> = {
  platform: "platforms",
  tags: "tags",
  "cache-from": "cache-from",
  "cache-to": "cache-to",
  secrets: "secret",
  secret: "secret",
  ssh: "ssh",
  output: "output",
};

/** `--set TARGET.KEY=value`. */
function override(
  options: Record<string, unknown>,
  place: string,
  value: string,
  target: string,
): void {
  const [pattern, path] = splitAt(place, ".");
  if (!globMatcher(pattern)(target)) return;
  const [key, name] = splitAt(path.replace(/\+$/, ""), ".");
  const list = LISTS[key];
  if (["args", "labels", "contexts"].includes(key) && name !== "") {
    options[key] = { ...mapping(options[key]), [name]: value };
  } else if (list !== undefined) {
    const items = key === "platform" ? value.split(",") : [value];
    options[list] = path.endsWith("+") ? [...texts(options[list]), ...items] : items;
  } else if (["context", "dockerfile", "target", "network"].includes(key)) options[key] = value;
}
