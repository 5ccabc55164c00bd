/**
 * What one member of a workspace can see of its Cargo.lock.
 *
 * @see https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html
 */

import { parse } from "smol-toml";
import { memberOf, NotUnderstood, type Part, refuseUnknown, tableOf } from "./part.ts";

const SETTINGS = ["version", "patch", "metadata"];

const TOP = new Set([...SETTINGS, "package"]);

const PACKAGE = new Set(["name", "version", "source", "checksum", "dependencies", "replace"]);

/** A package of the file. */
interface Package {
  readonly name: string;
  readonly version: string;
  /** Undefined where its sources are in the workspace, or beside it. */
  readonly source?: string;
  readonly checksum: unknown;
  /** Texts `name`, `name version` or `name version (source)`: as much as tells it from others. */
  readonly references: readonly string[];
}

/** The package's name in a member's Cargo.toml. @throws where there is none. */
export function packageName(manifest: string): string {
  const { name } = tableOf(memberOf(tableOf(parse(manifest), "it"), "package"), "package");
  if (typeof name !== "string") throw new NotUnderstood("the Cargo.toml has no name");
  return name;
}

/** The parts that a member can see. @throws where anything is not understood. */
export function cargoParts(text: string, workspace: string): readonly Part[] {
  const document = tableOf(parse(text), "the document");
  refuseUnknown(document, TOP, "it");
  const version = memberOf(document, "version");
  if (version !== undefined && ![3, 4].includes(version as number)) {
    throw new NotUnderstood(`its version ${version} is not known`);
  }
  const packages = packagesOf(memberOf(document, "package"));
  const members = (packages.get(workspace) ?? []).filter(({ source }) => source === undefined);
  if (members.length !== 1) {
    throw new NotUnderstood(`it has ${members.length} members with the name "${workspace}"`);
  }
  const settings = SETTINGS.flatMap((name): Part[] => {
    const value = memberOf(document, name);
    return value === undefined ? [] : [{ type: "setting", name, value: JSON.stringify(value) }];
  });
  return [...settings, ...reached(packages, members[0]!)];
}

function reached(packages: ReadonlyMap<string, readonly Package[]>, from: Package): Part[] {
  const found = new Set([from]);
  const parts: Part[] = [];
  for (const each of found) {
    const next = each.references.flatMap((reference) => referred(packages, reference));
    next.forEach((other) => found.add(other));
    const { name, version, source, checksum = null } = each;
    const value = [identityOf(each), checksum, [...new Set(next.map(identityOf))].sort()];
    const type = source === undefined ? "member" : "package";
    parts.push({ type, name, version, value: JSON.stringify(value) });
  }
  return parts;
}

/** All packages that a reference can mean. */
function referred(
  packages: ReadonlyMap<string, readonly Package[]>,
  reference: string,
): readonly Package[] {
  const [name = "", version, source] = reference.split(" ");
  const found = (packages.get(name) ?? []).filter((each) =>
    (version === undefined || each.version === version) &&
    // References leave out the commit of a git repository.
    (source === undefined ||
      [each.source, each.source?.split("#")[0]].some((text) => `(${text})` === source))
  );
  if (found.length === 0) throw new NotUnderstood(`it has no package "${reference}"`);
  return found;
}

function identityOf({ name, version, source }: Package): string {
  return `${name} ${version} ${source ?? ""}`;
}

function packagesOf(value: unknown): Map<string, Package[]> {
  if (!Array.isArray(value)) throw new NotUnderstood("it has no packages");
  const packages = new Map<string, Package[]>();
  for (const each of value.map(packageOf)) {
    const others = packages.get(each.name);
    if (others === undefined) packages.set(each.name, [each]);
    else others.push(each);
  }
  return packages;
}

function packageOf(value: unknown): Package {
  const table = tableOf(value, "a package");
  refuseUnknown(table, PACKAGE, "a package");
  const { name, version, source, checksum, dependencies = [], replace } = table;
  const references = [
    ...(Array.isArray(dependencies) ? dependencies : [dependencies]),
    ...(replace === undefined ? [] : [replace]),
  ];
  const isText = (each: unknown) => typeof each === "string";
  if (!isText(name) || !isText(version) || !references.every(isText)) {
    throw new NotUnderstood("a package has no name, version or list of dependencies");
  }
  if (source !== undefined && !isText(source)) throw new NotUnderstood("a source is no text");
  return {
    name: name as string,
    version: version as string,
    ...(source === undefined ? {} : { source: source as string }),
    checksum,
    references,
  };
}
