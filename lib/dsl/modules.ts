/** The local modules that images.ts is made of, found by reading their import statements. */

import { Fault } from "../model/errors.ts";
import { readRegularText } from "../util/regular_file.ts";
import { isOwn, pathOf, urlOf } from "./origin.ts";

/**
 * Matches the specifier of every import and re-export whose specifier is literal. What only looks
 * like one does no harm: a file that is not there is left out.
 */
const IMPORT = /\b(?:from|import)\s*\(?\s*(?:"([^"\n]+)"|'([^'\n]+)'|`([^`\n]+)`)/g;

/**
 * Absolute paths of a module and of the local ones it imports, sorted. Packages are not local.
 *
 * @throws {Fault} where one of them is a named pipe, a socket or a device: importing it would not end.
 */
export function localModules(entry: string): readonly string[] {
  const found = new Set<string>();
  const open = [entry];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    const text = readIfThere(path);
    if (text === undefined) continue;
    found.add(path);
    for (const match of text.matchAll(IMPORT)) {
      const specifier = match[1] ?? match[2] ?? match[3] ?? "";
      open.push(...pathNamed(specifier, path));
    }
  }
  return [...found].sort();
}

/** Path of a module by its specifier: relative, absolute, or of the import map's names. */
function pathNamed(specifier: string, by: string): string[] {
  try {
    const isPath = /^\.{1,2}\/|^\/|^file:/.test(specifier);
    const url = isPath ? new URL(specifier, urlOf(by)).href : import.meta.resolve(specifier);
    return url.startsWith("file:") && !isOwn(pathOf(url)) ? [pathOf(url)] : [];
  } catch {
    return [];
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readRegularText(path);
  } catch (error) {
    if (error instanceof Fault) throw error;
    return undefined;
  }
}
