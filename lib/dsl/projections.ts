/** Inputs that count by a part of a file: making them, and checking them when images.ts is loaded. */

import {
  type JsonProjection,
  lockfileFormat,
  type LockfileProjection,
  LOCKFILES,
  namesFolder,
  type Projection,
} from "../model/projection.ts";
import { isObject, type Kind, type ValueFault } from "./shape.ts";

/** Options of `lockfile()`. */
export interface LockfileOptions {
  /**
   * The member of the workspace: its folder relative to the lock file's, `.` for the root. For cargo
   * also the name of its package, and a folder without a slash is taken for one.
   */
  readonly workspace: string;
}

/**
 * An input that is a JSON file of which only some fields count. The whole file is handed to the
 * build.
 *
 * @param path the file, relative to images.ts.
 * @param fields names of fields of its outermost object; one that is missing counts as null.
 */
export function json(path: string, fields: readonly string[]): JsonProjection {
  return { projection: "json", path: plain(path), fields };
}

/**
 * An input that is a lock file of which only the part counts that one member of a workspace can see.
 * The whole file is handed to the build.
 *
 * @param path a `pnpm-lock.yaml`, `package-lock.json`, `npm-shrinkwrap.json` or `Cargo.lock`,
 * relative to images.ts.
 */
export function lockfile(path: string, options: LockfileOptions): LockfileProjection {
  return { projection: "lockfile", path: plain(path), workspace: plain(options?.workspace) };
}

function plain(path: string): string {
  if (typeof path !== "string") return path;
  return path.replace(/^(?:\.\/+)+/, "").replace(/(?<=[^/])\/+$/, "") || ".";
}

/** Globs and projections relative to images.ts. */
export const inputs: Kind = {
  expects: "a list of strings, json(…) and lockfile(…)",
  accepts: (value) =>
    Array.isArray(value) && value.every((each) => typeof each === "string" || isProjection(each)),
  paths: (value) =>
    (value as readonly (string | Projection)[]).map((each) =>
      typeof each === "string" ? each.replace(/^!/, "") : String(each.path)
    ),
  faults: (value) =>
    (value as readonly (string | Projection)[]).flatMap((each) =>
      typeof each === "string" ? [] : faultIn(each) ?? []
    ),
};

/**
 * Globs alone, for recipes whose tool finds out itself what goes in.
 *
 * @param tool what decides the key, as the message calls it.
 */
export function wholeInputs(tool: string): Kind {
  return {
    ...inputs,
    faults: (value) =>
      (value as readonly (string | Projection)[]).flatMap((each) =>
        typeof each === "string" ? [] : [{
          message: `cannot be a part of "${each.path}": ${tool} reads whole files`,
          word: each.path,
          next: `give "${each.path}" itself`,
        }]
      ),
  };
}

function isProjection(value: unknown): value is Projection {
  return isObject(value) && (value.projection === "json" || value.projection === "lockfile");
}

function faultIn(projection: Projection): ValueFault | undefined {
  const { path } = projection;
  if (typeof path !== "string" || path === "." || path === "") {
    return { message: `holds ${projection.projection}(…) without a path`, next: "name a file" };
  }
  return projection.projection === "json" ? jsonFault(projection) : lockfileFault(projection);
}

function jsonFault({ path, fields }: JsonProjection): ValueFault | undefined {
  const isRight = Array.isArray(fields) && fields.length > 0 &&
    fields.every((field) => typeof field === "string");
  if (isRight) return undefined;
  return {
    message: `holds json("${path}", …) without names of fields`,
    word: path,
    next: `give a list of strings: json("${path}", ["dependencies"])`,
  };
}

function lockfileFault({ path, workspace }: LockfileProjection): ValueFault | undefined {
  const format = lockfileFormat(path);
  if (format === undefined) {
    const names = [...LOCKFILES.keys()];
    return {
      message: `holds lockfile("${path}", …), a lock file whose parts are not known`,
      word: path,
      next: `name a ${names.slice(0, -1).join(", ")} or ${names.at(-1)}, or ` +
        `give "${path}" itself: the whole file then counts`,
    };
  }
  if (typeof workspace !== "string" || workspace === "") {
    return {
      message: `holds lockfile("${path}", …) without a workspace`,
      word: path,
      next: `name the member: lockfile("${path}", { workspace: "${EXAMPLES[format]}" })`,
    };
  }
  if (format === "cargo" && !namesFolder(workspace)) {
    if (/^[\p{L}\p{N}_-]+$/u.test(workspace)) return undefined;
    return {
      message: `holds lockfile("${path}", …) with the workspace "${workspace}", no package's name`,
      word: workspace,
      next: "give the member's name as it is in its Cargo.toml, or its folder",
    };
  }
  if (!isFolder(workspace)) {
    return {
      message: `holds lockfile("${path}", …) with the workspace "${workspace}", no folder in it`,
      word: workspace,
      next: `give the member's folder relative to the lock file's, such as "apps/web"`,
    };
  }
  return undefined;
}

const EXAMPLES = { pnpm: "apps/web", npm: "apps/web", cargo: "web" } as const;

function isFolder(workspace: string): boolean {
  return workspace === "." ||
    workspace.split("/").every((part) => !["", ".", ".."].includes(part));
}
