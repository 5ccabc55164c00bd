/** What options may hold: small checks that also say what was expected. */

/** A check of one option's value. */
export interface Kind {
  /** What is expected, e.g. `a list of strings`. */
  readonly expects: string;
  /** Says whether a value will do. */
  readonly accepts: (value: unknown) => boolean;
  /** The words it must be one of, where there are some. */
  readonly words?: readonly string[];
  /** The names of its own members, where it is a table with fixed ones. */
  readonly members?: Shape;
  /** Names of images that a value refers to. */
  readonly images?: (value: unknown) => readonly string[];
  /** It must be given. */
  readonly required?: boolean;
  /** Paths below the folder of images.ts that a value names. */
  readonly paths?: (value: unknown) => readonly string[];
  /** Faults in a value of the right kind. */
  readonly faults?: (value: unknown) => readonly ValueFault[];
}

/** A fault in an option's value. */
export interface ValueFault {
  /** Continues `Option "…" of … `. */
  readonly message: string;
  /** Text at the place of the fault. */
  readonly word?: string;
  /** What to do, as an imperative. */
  readonly next: string;
}

/** A plugin's options by name. */
export type Shape = Readonly<Record<string, Kind>>;

/** The kind of an option; names that every object has, such as `constructor`, are none. */
export function kindIn(shape: Shape, name: string): Kind | undefined {
  return Object.hasOwn(shape, name) ? shape[name] : undefined;
}

const isString = (value: unknown): value is string => typeof value === "string";
/** Says whether a value is an object that is no list. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A text. */
export const text: Kind = { expects: "a string", accepts: isString };

/** Yes or no. */
export const flag: Kind = {
  expects: "true or false",
  accepts: (value) => typeof value === "boolean",
};

/** A number of seconds, more than 0. */
export const seconds: Kind = {
  expects: "a number of seconds greater than 0",
  accepts: (value) => typeof value === "number" && value > 0 && Number.isFinite(value),
};

/** A whole number that is not negative. */
export const count: Kind = {
  expects: "a whole number that is not negative",
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};

/** Texts in order. */
export const texts: Kind = {
  expects: "a list of strings",
  accepts: (value) => Array.isArray(value) && value.every(isString),
};

/** Texts by name. */
export const textMap: Kind = {
  expects: "an object of strings",
  accepts: (value) => isObject(value) && Object.values(value).every(isString),
};

/** A path relative to images.ts. */
export const path: Kind = { ...text, paths: (value) => [value as string] };

/** Globs relative to images.ts. */
export const globs: Kind = {
  ...texts,
  paths: (value) => (value as readonly string[]).map((glob) => glob.replace(/^!/, "")),
};

/** Permission bits: octal text or a number. */
export const mode: Kind = {
  expects: 'permission bits such as "0755"',
  accepts: (value) =>
    (isString(value) && /^0?[0-7]{3,4}$/.test(value)) ||
    (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0o7777),
};

/** One of some words. */
export function oneOf(words: readonly string[]): Kind {
  return {
    expects: `one of ${words.map((word) => `"${word}"`).join(", ")}`,
    accepts: (value) => isString(value) && words.includes(value),
    words,
  };
}

/** An object with these members and no other. */
export function table(members: Shape): Kind {
  return { expects: "an object", accepts: isObject, members };
}

/** A list of objects with these members. */
export function tables(members: Shape): Kind {
  return {
    expects: "a list of objects",
    accepts: (value) => Array.isArray(value) && value.every(isObject),
    members,
  };
}

/** The same, and it must be given. */
export function required(kind: Kind): Kind {
  return { ...kind, required: true };
}

/** What `accepts` says, in words of its own. */
export function custom(
  expects: string,
  accepts: (value: unknown) => boolean,
  rest: Pick<Kind, "images" | "paths" | "members"> = {},
): Kind {
  return { expects, accepts, ...rest };
}

/** A reference to an image of the graph. */
export function isImageReference(value: unknown): value is { readonly image: string } {
  return isObject(value) && Object.keys(value).length === 1 && isString(value.image);
}

/** Name of the image a value refers to, if it does. */
export function imageIn(value: unknown): readonly string[] {
  return isImageReference(value) ? [value.image] : [];
}
