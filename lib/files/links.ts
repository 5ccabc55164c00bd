/** Globs and files that are reached through links. */

import type { Selection } from "../model/selection.ts";
import { fixedPart, literalPattern } from "./selection.ts";

/**
 * Globs, and for each that goes through a link before its first wildcard the same glob of what the
 * link leads to. Links that only a wildcard matches, and links out of the folder, are not followed.
 *
 * @param root absolute path of the folder they are relative to.
 */
export function withLinksFollowed(root: string, globs: readonly string[]): readonly string[] {
  const found = globs.flatMap((glob) => followed(root, glob) ?? []);
  return found.length === 0 ? globs : [...globs, ...found];
}

function followed(root: string, glob: string): string | undefined {
  const [, sign = "", pattern = ""] = /^(!?)(?:\.\/+)*(.*)$/s.exec(glob) ?? [];
  const fixed = fixedPart(pattern).replace(/\/+$/, "");
  if (fixed === "") return undefined;
  const real = realPath(root, fixed);
  if (real === undefined || real === fixed) return undefined;
  return sign + literalPattern(real) + pattern.slice(fixed.length);
}

/** Where a path leads, relative to the folder; undefined where that is nowhere, or outside. */
function realPath(root: string, path: string): string | undefined {
  try {
    const folder = `${Deno.realPathSync(root)}/`;
    const real = Deno.realPathSync(`${root}/${path}`);
    return real.startsWith(folder) ? real.slice(folder.length) : undefined;
  } catch {
    return undefined;
  }
}

/** What Nix has made: no path in it ever changes. */
const STORE_PATH = /\/store\/[0-9a-df-np-sv-z]{32}-[^/]+(?:\/|$)/;

/** Links on one way; the kernel follows no more. */
const MOST_LINKS = 40;

/**
 * Selections of a single file: it, wherever it is, and the links that its path leads through.
 *
 * @param root absolute path of the project's folder, which the file's path is relative to.
 */
export function fileSelections(root: string, path: string): readonly Selection[] {
  const project = Deno.realPathSync(root);
  const inside: string[] = [];
  const outside: Selection[] = [];
  for (const step of stepsOf(project, path)) {
    const below = relativeTo(project, step);
    const slash = below.lastIndexOf("/") + 1;
    if (!below.startsWith("../")) inside.push(literalPattern(below));
    else {
      const folder = below.slice(0, slash);
      const include = [literalPattern(below.slice(slash))];
      outside.push({ root: folder.slice(0, -1), include, as: folder });
    }
  }
  return [...(inside.length === 0 ? [] : [{ root: ".", include: inside }]), ...outside];
}

/** The links on the way to a file, and the file where it is no store's, all in real folders. */
function stepsOf(folder: string, path: string): readonly string[] {
  const steps = new Set<string>();
  const left = path.split("/");
  let at = folder;
  for (let part = left.shift(), links = 0; part !== undefined; part = left.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      at = at.slice(0, at.lastIndexOf("/"));
      continue;
    }
    const next = `${at}/${part}`;
    const target = targetOf(next);
    if (target === undefined) {
      at = next;
      continue;
    }
    steps.add(next);
    if (STORE_PATH.test(target) || ++links > MOST_LINKS) return [...steps];
    if (target.startsWith("/")) at = "";
    left.unshift(...target.split("/"));
  }
  return [...steps.add(at)];
}

/** What a link says; undefined of what is no link, or not there. */
function targetOf(path: string): string | undefined {
  try {
    return Deno.lstatSync(path).isSymlink ? Deno.readLinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** A path relative to a folder; both are absolute and have no links before their last part. */
function relativeTo(folder: string, path: string): string {
  const [from, to] = [folder.split("/"), path.split("/")];
  let shared = 0;
  while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) shared++;
  return [...from.slice(shared).map(() => ".."), ...to.slice(shared)].join("/");
}
