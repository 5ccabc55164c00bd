/**
 * What one importer of a pnpm-lock.yaml can see, of the versions 5, 6 and 9 of its format.
 *
 * @see https://github.com/pnpm/spec/tree/master/lockfile
 */

import { parse } from "@std/yaml";
import { join } from "@std/path";
import { ancestorsOf } from "../way.ts";
import {
  memberOf,
  NotUnderstood,
  type Part,
  refuseShared,
  refuseUnknown,
  type Table,
  tableIn,
  tableOf,
} from "./part.ts";

/** What holds for all importers. */
const SETTINGS = [
  ...["lockfileVersion", "settings", "catalogs", "overrides", "packageExtensionsChecksum"],
  ...["pnpmfileChecksum", "ignoredOptionalDependencies", "patchedDependencies"],
  ...["neverBuiltDependencies", "onlyBuiltDependencies"],
];

/** When packages were published, by which versions are chosen: here they have been. */
const UNUSED = "time";

const DEPENDENCIES = ["dependencies", "devDependencies", "optionalDependencies"];

const IMPORTER = [...DEPENDENCIES, "specifiers", "dependenciesMeta", "publishDirectory"];

const TOP = new Set([...SETTINGS, ...IMPORTER, "importers", "packages", "snapshots", UNUSED]);

const PACKAGE = new Set([
  ...["resolution", "id", "name", "version", "engines", "cpu", "os", "libc", "deprecated"],
  ...["hasBin", "requiresBuild", "prepare", "patched", "dev", "optional", "bundledDependencies"],
  ...["peerDependencies", "peerDependenciesMeta", "transitivePeerDependencies"],
  ...["dependencies", "optionalDependencies"],
]);

/** The parts that an importer can see. @throws where anything is not understood. */
export function pnpmParts(text: string, workspace: string): readonly Part[] {
  const document = tableOf(parse(text), "the document");
  refuseShared(document);
  refuseUnknown(document, TOP, "it");
  return new Reader(document).read(workspace);
}

class Reader {
  readonly #document: Table;
  readonly #importers: Table;
  readonly #packages: Table;
  /** The packages as they are installed, each with its peers. */
  readonly #snapshots: Table;
  readonly #parts: Part[] = [];
  readonly #seen = new Set<string>();
  /** What is still to be visited. */
  readonly #waiting: (() => void)[] = [];

  constructor(document: Table) {
    const version = String(memberOf(document, "lockfileVersion"));
    if (!/^[569](?:\.|$)/.test(version)) {
      throw new NotUnderstood(`its version ${version} is not known`);
    }
    const isSplit = version.startsWith("9");
    this.#document = document;
    this.#importers = tablesOf(document);
    this.#packages = tableIn(document, "packages");
    if (isSplit !== Object.hasOwn(document, "snapshots") && hasAny(this.#packages)) {
      throw new NotUnderstood(`it is not of version ${version}`);
    }
    this.#snapshots = isSplit ? tableIn(document, "snapshots") : this.#packages;
  }

  read(workspace: string): readonly Part[] {
    if (!Object.hasOwn(this.#importers, workspace)) {
      throw new NotUnderstood(`it has no importer "${workspace}"`);
    }
    for (const name of SETTINGS) {
      const value = memberOf(this.#document, name);
      if (value !== undefined) {
        this.#parts.push({ type: "setting", name, value: JSON.stringify(value) });
      }
    }
    // What is installed in folders above, and in the root, members find too.
    for (const folder of [...ancestorsOf(workspace), "."]) this.#importer(folder);
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) next();
    return this.#parts;
  }

  /** Visits an importer, if there is one in this folder. */
  #importer(folder: string): void {
    if (!Object.hasOwn(this.#importers, folder) || this.#isSeen(`importer ${folder}`)) return;
    const importer = tableIn(this.#importers, folder);
    refuseUnknown(importer, new Set(IMPORTER), `the importer "${folder}"`);
    this.#parts.push({
      type: "member",
      name: folder,
      value: JSON.stringify([folder, importer]),
    });
    for (const group of DEPENDENCIES) this.#follow(tableIn(importer, group), folder);
  }

  /** Visits what dependencies refer to. */
  #follow(dependencies: Table, folder: string): void {
    for (const [name, value] of Object.entries(dependencies)) {
      const reference = typeof value === "object" && value !== null
        ? memberOf(value as Table, "version")
        : value;
      if (typeof reference !== "string") throw new NotUnderstood(`it has no version of ${name}`);
      this.#waiting.push(() => this.#reference(name, reference, folder));
    }
  }

  #reference(name: string, reference: string, folder: string): void {
    if (reference.startsWith("link:")) {
      const target = reference.slice("link:".length);
      // Importers name folders from their own, packages from the root.
      for (const base of new Set([folder, "."])) this.#importer(plain(`${base}/${target}`));
      return;
    }
    const keys = [
      `${name}@${reference}`,
      `/${name}@${reference}`,
      `/${name}/${reference}`,
      reference,
    ]
      .filter((key) => Object.hasOwn(this.#snapshots, key));
    if (keys.length === 0) throw new NotUnderstood(`it has no ${name} ${reference}`);
    for (const key of keys) this.#package(key);
  }

  #package(key: string): void {
    if (this.#isSeen(`package ${key}`)) return;
    const snapshot = tableIn(this.#snapshots, key);
    const metas = this.#snapshots === this.#packages ? [] : this.#metasOf(key);
    for (const each of [snapshot, ...metas]) {
      refuseUnknown(each, PACKAGE, `the package ${key}`);
      const directory = memberOf(tableIn(each, "resolution"), "directory");
      if (typeof directory === "string") this.#importer(plain(directory));
    }
    this.#parts.push({
      type: "package",
      ...labelOf(key),
      value: JSON.stringify([key, snapshot, metas]),
    });
    for (const group of ["dependencies", "optionalDependencies"]) {
      this.#follow(tableIn(snapshot, group), ".");
    }
  }

  /** What is said of a package whatever its peers are: its key has what stands before them. */
  #metasOf(key: string): Table[] {
    const keys = [key];
    for (let at = key.indexOf("("); at >= 0; at = key.indexOf("(", at + 1)) {
      keys.push(key.slice(0, at));
    }
    const found = keys.filter((each) => Object.hasOwn(this.#packages, each));
    if (found.length === 0) throw new NotUnderstood(`it does not say what ${key} is`);
    return found.map((each) => tableIn(this.#packages, each));
  }

  #isSeen(name: string): boolean {
    if (this.#seen.has(name)) return true;
    this.#seen.add(name);
    return false;
  }
}

/** Importers by folder; a file without any is that of a single one. */
function tablesOf(document: Table): Table {
  const own = Object.fromEntries(
    IMPORTER.filter((name) => Object.hasOwn(document, name)).map((name) => [name, document[name]]),
  );
  if (!Object.hasOwn(document, "importers")) return { ".": own };
  if (hasAny(own)) throw new NotUnderstood("it has importers and dependencies of its own");
  return tableIn(document, "importers");
}

function hasAny(table: Table): boolean {
  return Object.keys(table).length > 0;
}

function plain(path: string): string {
  return join(path).replace(/\/+$/, "") || ".";
}

/** Name and version for people. */
function labelOf(key: string): { name: string; version?: string } {
  const [id = key] = key.replace(/^\//, "").split("(");
  const scope = id.startsWith("@") ? id.indexOf("/") + 1 : 0;
  // Since version 6 there is an @ between the two, before that a slash.
  const found = id.slice(scope).search(key.startsWith("/") ? /[@/]/ : /@/);
  if (found < 0) return { name: id };
  const end = scope + found;
  const version = id.slice(end + 1);
  return { name: id.slice(0, end), version: id[end] === "/" ? version.split("_")[0]! : version };
}
