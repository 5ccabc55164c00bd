/** Faults of images.ts, gathered so that all of them are shown at once. */

import { Fault, type Place, renderPlace, usageFault } from "../model/errors.ts";
import type { Origin } from "./origin.ts";
import { excerpt, locate, placeOf } from "./source.ts";
import { readRegularText } from "../util/regular_file.ts";

/** Where to point within a call: keys to go through, and a word in the last one's value. */
export interface Pointer {
  readonly keys?: readonly string[];
  readonly word?: string;
}

/** The most faults that are shown. */
const SHOWN = 10;

/** Gathers faults with their places. */
export class Findings {
  readonly #faults: Fault[] = [];
  readonly #sources = new Map<string, string>();

  /** Adds a fault found in what was written at an origin. */
  add(message: string, origin: Origin, pointer: Pointer, next: string): void {
    const start = origin.place;
    if (start === undefined) {
      this.#faults.push(usageFault(message, { next }));
      return;
    }
    const text = this.#source(start.file);
    const exact = locate(text, start, pointer.keys ?? [], pointer.word);
    this.#faults.push(this.#fault(message, exact, text, next));
  }

  /** Where something was written, for faults that are found later. */
  place(origin: Origin): Place | undefined {
    const { place } = origin;
    return place === undefined ? undefined : { ...place, file: shown(place.file) };
  }

  /** @throws {Fault} that holds all faults, if there are any. */
  throwIfAny(): void {
    const [first, ...others] = this.#faults;
    if (first === undefined) return;
    if (others.length === 0) throw first;
    const more = others.slice(0, SHOWN - 1).map(render);
    const rest = others.length - more.length;
    if (rest > 0) more.push(`and ${rest} more`);
    const advice = first.next === undefined ? [] : [`next: ${first.next}`];
    throw usageFault(first.message, {
      ...(first.place === undefined ? {} : { place: first.place }),
      excerpt: [first.excerpt, ...advice, "", more.join("\n\n")].join("\n"),
      next: `correct these ${others.length + 1} faults`,
    });
  }

  #fault(message: string, place: Place, text: string, next: string): Fault {
    return usageFault(message, {
      place: { ...place, file: shown(place.file) },
      excerpt: excerpt(text, place),
      next,
    });
  }

  #source(file: string): string {
    const known = this.#sources.get(file);
    if (known !== undefined) return known;
    const text = readSource(file);
    this.#sources.set(file, text);
    return text;
  }
}

/** A fault that points at one place of a file. */
export function faultAt(message: string, place: Place, next: string, cause?: unknown): Fault {
  return usageFault(message, {
    place: { ...place, file: shown(place.file) },
    excerpt: excerpt(readSource(place.file), place),
    next,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Where a pattern first matches in a file. */
export function placeOfWord(file: string, pattern: RegExp): Place | undefined {
  const text = readSource(file);
  const match = pattern.exec(text);
  return match === null ? undefined : placeOf(text, match.index, file);
}

/** A path as people see it: relative where it is below the folder they are in. */
export function shown(file: string): string {
  const folder = `${Deno.cwd()}/`;
  return file.startsWith(folder) ? file.slice(folder.length) : file;
}

function render(fault: Fault): string {
  const head = fault.place === undefined ? "" : `${renderPlace(fault.place)}: `;
  return [`${head}${fault.message}`, fault.excerpt, `next: ${fault.next}`].filter(Boolean).join(
    "\n",
  );
}

function readSource(file: string): string {
  try {
    return readRegularText(file);
  } catch {
    return "";
  }
}
