/**
 * Patterns over paths, matched in a time that is bounded by the product of their lengths.
 *
 * Patterns come from repositories that are not trusted. A regular expression of JavaScript's
 * backtracks: a few stars against one long name keep it busy for ever. Here a path is compared
 * component by component, and only the last star is ever tried again: what an earlier one could
 * take more, a later one can take too.
 */

import { Automaton } from "./automaton.ts";
import {
  type CharacterSet,
  type FlatPart,
  FOLDERS,
  holds,
  MANY,
  ONE,
  type Part,
  type PathTest,
  SLASH,
  STAR,
} from "./pattern_parts.ts";

/** So many patterns without alternatives are tried one by one. */
const MOST_VARIANTS = 32;

/**
 * Compiles a pattern.
 *
 * @param below what is below a match matches too.
 */
export function compileParts(parts: readonly Part[], below = false): PathTest {
  const variants = flatten(parts, MOST_VARIANTS);
  if (variants === undefined) return automatonTest(parts, below);
  const tests = variants.map((variant) => flatTest(joined(variant), below));
  const [only, ...others] = tests;
  return others.length === 0 ? only! : (path) => tests.some((test) => test(path));
}

/** The patterns without alternatives that a pattern stands for; undefined where they are many. */
function flatten(parts: readonly Part[], most: number): FlatPart[][] | undefined {
  let all: FlatPart[][] = [[]];
  for (const part of parts) {
    if (typeof part !== "object" || !("alternatives" in part)) {
      for (const variant of all) variant.push(part);
      continue;
    }
    if (part.repeated) return undefined;
    const choices: FlatPart[][] = part.optional ? [[]] : [];
    for (const alternative of part.alternatives) {
      const flat = flatten(alternative, most);
      if (flat === undefined) return undefined;
      choices.push(...flat);
    }
    if (all.length * choices.length > most) return undefined;
    all = all.flatMap((variant) => choices.map((choice) => [...variant, ...choice]));
  }
  return all;
}

/** Merges neighbouring strings, and wildcards that say no more than one. */
function joined<P extends Part>(parts: readonly (P | string)[]): (P | string)[] {
  const out: (P | string)[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (part === "") continue;
    if (typeof part === "string" && typeof last === "string") out[out.length - 1] = last + part;
    else if (part !== last || !(part === STAR || part === MANY || part === FOLDERS)) out.push(part);
  }
  return out;
}

function automatonTest(parts: readonly Part[], below: boolean): PathTest {
  const merged = joined(parts);
  const prefix = typeof merged[0] === "string" ? merged[0] : "";
  const automaton = new Automaton(prefix === "" ? merged : merged.slice(1));
  return (path) => path.startsWith(prefix) && automaton.matches(path, prefix.length, below);
}

function flatTest(parts: readonly FlatPart[], below: boolean): PathTest {
  const [first, ...rest] = parts;
  if (parts.length < 2 && (first === undefined || typeof first === "string")) {
    const text = first ?? "";
    return below
      ? (path) =>
        path.startsWith(text) && (path.length === text.length || path[text.length] === "/")
      : (path) => path === text;
  }
  // Two stars in front of a name stand for the beginning of it too.
  if (first === MANY && rest.length === 1 && typeof rest[0] === "string") {
    const [text] = rest;
    return (path) => path.endsWith(text) || (below && path.includes(`${text}/`));
  }
  const components = componentsOf(parts);
  if (components === undefined) return automatonTest(parts, below);
  if (below && components.at(-1) !== ANY) components.push(ANY);
  const lastAny = components.lastIndexOf(ANY);
  return components.length === 1 && lastAny === 0
    ? () => true
    : (path) => matchComponents(components, lastAny, path);
}

/** Any number of whole components. */
const ANY = Symbol("any");

/** Decides whether one component of a path, from a place up to another, matches. */
type ComponentTest = (path: string, start: number, end: number) => boolean;

/** The tests of a pattern's components; undefined where a part goes beyond one. */
function componentsOf(parts: readonly FlatPart[]): (ComponentTest | typeof ANY)[] | undefined {
  const components: (ComponentTest | typeof ANY)[] = [];
  let current: FlatPart[] = [];
  let isOpen = true;
  for (const [at, part] of parts.entries()) {
    if (part === FOLDERS || part === MANY) {
      if (current.length > 0) return undefined;
      if (part === MANY && at < parts.length - 1) return undefined;
      // What ends in two stars has at least one component there, unless it is nothing else.
      if (part === MANY && components.length > 0) components.push(() => true);
      if (components.at(-1) !== ANY) components.push(ANY);
      isOpen = part === FOLDERS;
    } else if (typeof part === "string") {
      const [head = "", ...others] = part.split("/");
      if (head !== "") current.push(head);
      for (const text of others) {
        components.push(componentTest(current));
        current = text === "" ? [] : [text];
      }
      isOpen = true;
    } else if (typeof part === "object" && holds(part, SLASH)) return undefined;
    else current.push(part);
  }
  if (isOpen) components.push(componentTest(current));
  return components;
}

/** Compares component by component; only the last of several {@link ANY} is tried again. */
function matchComponents(
  components: readonly (ComponentTest | typeof ANY)[],
  lastAny: number,
  path: string,
): boolean {
  let at = 0;
  let index = 0;
  let again = -1;
  let againAt = 0;
  while (at <= path.length) {
    const component = components[index];
    if (component === ANY) {
      again = ++index;
      if (again === components.length) return true;
      againAt = at;
      if (again > lastAny) {
        // All that is left stands at the path's end.
        const start = startOfLast(path, components.length - again);
        if (start < at) return false;
        at = againAt = start;
      }
      continue;
    }
    const end = endOfComponent(path, at);
    if (component !== undefined && component(path, at, end)) {
      index++;
      at = end + 1;
    } else if (again < 0) return false;
    else {
      at = againAt = endOfComponent(path, againAt) + 1;
      index = again;
    }
  }
  if (components[index] === ANY) index++;
  return index === components.length;
}

/** Where the last components of a path begin; before its start if it has fewer. */
function startOfLast(path: string, count: number): number {
  let at = path.length + 1;
  for (let left = count; left > 0; left--) {
    if (at <= 0) return -1;
    at = at === 1 ? 0 : path.lastIndexOf("/", at - 2) + 1;
  }
  return at;
}

function endOfComponent(path: string, start: number): number {
  const slash = path.indexOf("/", start);
  return slash < 0 ? path.length : slash;
}

/** A part that takes one character, or a star. */
type Item = number | typeof ONE | typeof STAR | CharacterSet;

function componentTest(parts: readonly FlatPart[]): ComponentTest {
  const [prefix, rest] = typeof parts[0] === "string" ? [parts[0], parts.slice(1)] : ["", parts];
  const [wildcard, suffix = "", ...others] = rest;
  if (wildcard === undefined) {
    return (path, start, end) => end - start === prefix.length && path.startsWith(prefix, start);
  }
  if (wildcard === STAR && others.length === 0 && typeof suffix === "string") {
    return (path, start, end) =>
      end - start >= prefix.length + suffix.length &&
      path.startsWith(prefix, start) && path.startsWith(suffix, end - suffix.length);
  }
  const items = rest.flatMap((part): Item[] =>
    typeof part === "string" ? [...part].map((char) => char.codePointAt(0)!) : [part as Item]
  );
  return (path, start, end) =>
    end - start >= prefix.length && path.startsWith(prefix, start) &&
    matchItems(items, path, start + prefix.length, end);
}

/** Compares character by character; only the last of several stars is tried again. */
function matchItems(items: readonly Item[], path: string, start: number, end: number): boolean {
  let at = start;
  let index = 0;
  let again = -1;
  let againAt = 0;
  while (at < end) {
    const item = items[index];
    if (item === STAR) {
      again = ++index;
      if (again === items.length) return true;
      againAt = at;
      continue;
    }
    const code = path.codePointAt(at)!;
    if (item !== undefined && takes(item, code)) {
      index++;
      at += widthOf(code);
    } else if (again < 0) return false;
    else {
      at = againAt += widthOf(path.codePointAt(againAt)!);
      index = again;
    }
  }
  if (items[index] === STAR) index++;
  return index === items.length;
}

function takes(item: Exclude<Item, typeof STAR>, code: number): boolean {
  return typeof item === "number" ? item === code : item === ONE || holds(item, code);
}

function widthOf(code: number): number {
  return code > 0xffff ? 2 : 1;
}
