/** Loading images.ts: importing it, and turning what it declares into a checked project. */

import { asFault, Fault, type Place, usageFault } from "../model/errors.ts";
import type { Project } from "../model/recipe.ts";
import { checkDefinition } from "./check.ts";
import { Defined } from "./define.ts";
import { faultAt, placeOfWord, shown } from "./findings.ts";
import { localModules } from "./modules.ts";
import { firstPlace, pathOf, urlOf } from "./origin.ts";
import { readRegularText } from "../util/regular_file.ts";

const ESCAPE = "\x1b";
const COLOUR = new RegExp(`${ESCAPE}\\[[\\d;]*m`, "g");

/** How long images.ts may take; what it imports may have to be downloaded first. */
export interface LoadOptions {
  /** Called once when it takes long. */
  readonly waiting?: () => void;
  /** When that is, in milliseconds. @default 5000 */
  readonly patience?: number;
  /** When it is given up, in milliseconds. @default 120000 */
  readonly limit?: number;
}

/**
 * Loads a project.
 *
 * @param file path of images.ts, absolute or relative to the current folder.
 * @throws {Fault} with file, line, column and excerpt for every fault in it.
 */
export async function loadProject(file: string, options: LoadOptions = {}): Promise<Project> {
  const path = realPath(file);
  const modules = modulesOf(path);
  const defined = await importDefinition(path, options);
  const root = path.slice(0, path.lastIndexOf("/")) || "/";
  return { root, file: path, ...checked(defined), modules };
}

/** Looked at before the import, which would read a named pipe or a device for ever, deaf to signals. */
function modulesOf(path: string): readonly string[] {
  try {
    return localModules(path);
  } catch (error) {
    const { message, where = path, next = "put a module in its place" } = asFault(error);
    throw usageFault(`Cannot load it: ${message}`, { where: shown(where), next, cause: error });
  }
}

function realPath(file: string): string {
  try {
    return Deno.realPathSync(file);
  } catch (cause) {
    throw usageFault(`There is no ${file}`, {
      where: shown(file.startsWith("/") ? file : `${Deno.cwd()}/${file}`),
      next: "run `images init` to write one, or name another with --file",
      cause,
    });
  }
}

/** What it is given may be read by functions of its own. */
function checked(defined: Defined): ReturnType<typeof checkDefinition> {
  try {
    return checkDefinition(defined);
  } catch (error) {
    const place = error instanceof Error ? firstPlace(error.stack ?? "") : undefined;
    if (error instanceof Fault || place === undefined) throw error;
    const message = `Cannot read what define() is given: ${asFault(error).message}`;
    throw faultAt(message, place, "correct what throws it", error);
  }
}

async function importDefinition(path: string, options: LoadOptions): Promise<Defined> {
  const module = await importModule(path, options);
  if (!("default" in module)) {
    throw faultAt(
      "images.ts has no default export",
      topOf(path),
      "write `export default define({ … })`",
    );
  }
  if (module.default instanceof Defined) return module.default;
  throw faultAt(
    "The default export was not made by define()",
    topOf(path),
    'write `export default define({ … })`, with define from "images"',
  );
}

async function importModule(path: string, options: LoadOptions): Promise<Record<string, unknown>> {
  const { waiting = () => {}, patience = 5_000, limit = 120_000 } = options;
  const late = Promise.withResolvers<never>();
  // A module that awaits what never comes would let the process end, as nothing is left to do.
  const timers = [
    setTimeout(waiting, patience),
    setTimeout(() => late.reject(faultOfWaiting(path, limit)), limit),
  ];
  try {
    return await Promise.race([import(urlOf(path)), late.promise]);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw faultOfImport(path, error);
  } finally {
    timers.forEach(clearTimeout);
  }
}

function faultOfWaiting(path: string, limit: number): Fault {
  const place = placeOfWord(path, /\bawait\b/) ?? topOf(path);
  return faultAt(
    `It is not loaded after ${limit / 1000} s`,
    place,
    "await nothing that may not come, neither in it nor in what it imports",
  );
}

/** A syntax error names its place in the message, anything thrown in its stack. */
function faultOfImport(path: string, error: unknown): Fault {
  refuseUnreadable(path);
  // Deno colours the places in what it says of imports.
  const message = asFault(error).message.replaceAll(COLOUR, "");
  const stack = error instanceof Error ? error.stack ?? "" : "";
  const named = /(file:[^\s]+?):(\d+):(\d+)/.exec(message);
  const place: Place = named === null
    ? firstPlace(stack) ?? topOf(path)
    : { file: pathOf(named[1]!), line: Number(named[2]), column: Number(named[3]) };
  const [first = message] = message.split("\n").filter((line) => line.trim() !== "");
  const text = first.replace(/ at file:.*$/, "").replace(
    /^The module's source code could not be parsed: |^SyntaxError: /,
    "",
  );
  // A module that lacks an export, and JSON that cannot be read, throw a SyntaxError too.
  const isSyntax = /^SyntaxError: |could not be parsed/.test(first);
  const next = isSyntax ? "correct the syntax" : "correct what throws it, or what it imports";
  return faultAt(`Cannot load it: ${text}`, place, next, error);
}

/** Deno says of a file that it cannot read only that importing it failed. */
function refuseUnreadable(path: string): void {
  try {
    readRegularText(path);
  } catch (error) {
    const { message, next = "make it readable" } = asFault(error);
    throw usageFault(`Cannot read it: ${message}`, { where: shown(path), next, cause: error });
  }
}

function topOf(path: string): Place {
  return { file: path, line: 1, column: 1 };
}
