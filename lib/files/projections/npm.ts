/**
 * What one workspace of a package-lock.json can see, of the versions 2 and 3 of its format.
 *
 * @see https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json
 */

import { join } from "@std/path";
import { ancestorsOf } from "../way.ts";
import { parseJson } from "./json_fields.ts";
import {
  memberOf,
  NotUnderstood,
  type Part,
  refuseUnknown,
  type Table,
  tableIn,
  tableOf,
} from "./part.ts";

const SETTINGS = ["lockfileVersion", "requires", "name", "version"];

const TOP = new Set([...SETTINGS, "packages", "dependencies"]);

/** Fields of a package that name others; those of the first must be there. */
const DEPENDENCIES = [
  ...["dependencies", "optionalDependencies", "peerDependencies", "devDependencies"],
];

const PACKAGE = new Set([
  ...DEPENDENCIES,
  ...["name", "version", "resolved", "integrity", "link", "dev", "optional", "devOptional"],
  ...["peer", "extraneous", "inBundle", "hasInstallScript", "hasShrinkwrap", "bin", "license"],
  ...["engines", "os", "cpu", "libc", "funding", "deprecated", "workspaces", "overrides"],
  ...["peerDependenciesMeta", "bundleDependencies", "bundledDependencies", "acceptDependencies"],
  "ideallyInert",
]);

/** The parts that a workspace can see. @throws where anything is not understood. */
export function npmParts(text: string, workspace: string): readonly Part[] {
  const document = tableOf(parseJson(text), "the document");
  refuseUnknown(document, TOP, "it");
  const version = memberOf(document, "lockfileVersion");
  if (version !== 2 && version !== 3) {
    throw new NotUnderstood(`its version ${version} is not known`);
  }
  const folder = workspace === "." ? "" : workspace;
  const packages = tableIn(document, "packages");
  if (!Object.hasOwn(packages, folder)) throw new NotUnderstood(`it has no member "${workspace}"`);
  // Version 2 says everything twice: old versions of npm, which know no workspaces, read the other.
  const settings = folder === "" ? [...SETTINGS, "dependencies"] : SETTINGS;
  const parts = settings.flatMap((name): Part[] => {
    const value = memberOf(document, name);
    return value === undefined ? [] : [{ type: "setting", name, value: JSON.stringify(value) }];
  });
  // What is installed in folders above, and in the root, members find too.
  const above = ancestorsOf(folder).filter((each) => Object.hasOwn(packages, each));
  return [...parts, ...reached(packages, [...above, ""])];
}

/** The packages that some can reach, by their paths. */
function reached(packages: Table, from: readonly string[]): Part[] {
  const paths = new Set(from);
  const parts: Part[] = [];
  for (const path of paths) {
    const entry = tableOf(memberOf(packages, path), `"${path}"`);
    refuseUnknown(entry, PACKAGE, `"${path}"`);
    parts.push(partOf(path, entry));
    for (const next of nextOf(packages, path, entry)) paths.add(next);
  }
  return parts;
}

function nextOf(packages: Table, path: string, entry: Table): string[] {
  if (entry.link === true) return [targetOf(packages, path, entry)];
  const optional = tableIn(entry, "optionalDependencies");
  return DEPENDENCIES.flatMap((group) =>
    Object.keys(tableIn(entry, group)).flatMap((name) => {
      const found = resolved(packages, path, name);
      if (found !== undefined) return [found];
      if (group === "dependencies" && !Object.hasOwn(optional, name)) {
        throw new NotUnderstood(`it has no ${name} for "${path}"`);
      }
      return [];
    })
  );
}

/** Where a link leads: to another member. */
function targetOf(packages: Table, path: string, { resolved }: Table): string {
  const target = typeof resolved === "string" ? join(resolved).replace(/\/+$/, "") : "";
  if (!Object.hasOwn(packages, target) || target.startsWith("..")) {
    throw new NotUnderstood(`it does not say where "${path}" leads`);
  }
  return target;
}

/** Finds a package as Node does: in `node_modules` of a folder, or of one above. */
function resolved(packages: Table, from: string, name: string): string | undefined {
  for (let folder = from;; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")))) {
    const path = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (Object.hasOwn(packages, path)) return path;
    if (folder === "") return undefined;
  }
}

function partOf(path: string, entry: Table): Part {
  const value = JSON.stringify([path, entry]);
  const at = path.lastIndexOf("node_modules/");
  if (at < 0 || entry.link === true) return { type: "member", name: path || ".", value };
  const { name = path.slice(at + "node_modules/".length), version } = entry;
  return {
    type: "package",
    name: String(name),
    ...(typeof version === "string" ? { version } : {}),
    value,
  };
}
