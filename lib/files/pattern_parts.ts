/** The parts that patterns over paths are made of. */

/** One character but `/`. */
export const ONE = Symbol("?");
/** Any number of characters but `/`. */
export const STAR = Symbol("*");
/** Any number of characters. */
export const MANY = Symbol("**");
/** Nothing, or any number of whole components and the slash behind them. */
export const FOLDERS = Symbol("**/");

/** One character of a set; a negated set has no `/`. Ranges are code points, ends included. */
export interface CharacterSet {
  readonly ranges: readonly (readonly [number, number])[];
  readonly negated: boolean;
}

/** One of several patterns, perhaps none of them, perhaps several in a row. */
export interface Group {
  readonly alternatives: readonly (readonly Part[])[];
  readonly optional: boolean;
  readonly repeated: boolean;
}

/** A part without alternatives; a string stands for itself. */
export type FlatPart =
  | string
  | typeof ONE
  | typeof STAR
  | typeof MANY
  | typeof FOLDERS
  | CharacterSet;

/** A part of a pattern. */
export type Part = FlatPart | Group;

/** Decides whether a path matches. */
export type PathTest = (path: string) => boolean;

/** Code of `/`. */
export const SLASH = 47;

/** Decides whether a character is of a set. */
export function holds({ ranges, negated }: CharacterSet, code: number): boolean {
  if (negated && code === SLASH) return false;
  return ranges.some(([low, high]) => low <= code && code <= high) !== negated;
}
