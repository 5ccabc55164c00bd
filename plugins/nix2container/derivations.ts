/** Which images a derivation is built for and which it pulls, read from the derivations in the store. */

import type { RemoteBase } from "../../lib/model/plugin.ts";
import { pulledIn } from "./pulled_bases.ts";
import { readRegularText } from "../../lib/util/regular_file.ts";

/** References to derivations in a .drv file, of which every input is one. */
const REFERENCE = /"(\/[^"]+\.drv)"/g;

/** The inputs of derivations, each file read once. */
export class Derivations {
  readonly #storeRoot: string;
  readonly #inputs = new Map<string, readonly string[]>();
  readonly #closures = new Map<string, ReadonlySet<string>>();

  /** @param storeRoot folder that `/nix/store` is below; empty where it is the machine's. */
  constructor(storeRoot: string) {
    this.#storeRoot = storeRoot;
  }

  /** A derivation and all that must be built before it. */
  closure(derivation: string): ReadonlySet<string> {
    const known = this.#closures.get(derivation);
    if (known !== undefined) return known;
    const closure = new Set([derivation]);
    for (const each of closure) this.#inputsOf(each).forEach((input) => closure.add(input));
    this.#closures.set(derivation, closure);
    return closure;
  }

  /** The base images that a derivation, or anything built before it, pulls. */
  pulledBases(derivation: string): RemoteBase[] {
    return [...this.closure(derivation)].flatMap((each) =>
      pulledIn(readIfThere(this.#storeRoot + each))
    );
  }

  /** Paths of its outputs in the store, without those that only building tells. */
  outputs(derivation: string): readonly string[] {
    const text = readIfThere(this.#storeRoot + derivation);
    return Array.from(
      text.slice(0, text.indexOf("],[")).matchAll(/\("[^"]*","(\/[^"]+)","[^"]*","[^"]*"\)/g),
      (match) => match[1]!,
    );
  }

  #inputsOf(derivation: string): readonly string[] {
    const known = this.#inputs.get(derivation);
    if (known !== undefined) return known;
    const found = readIfThere(this.#storeRoot + derivation).matchAll(REFERENCE);
    const inputs = Array.from(found, (match) => match[1]!);
    this.#inputs.set(derivation, inputs);
    return inputs;
  }
}

/** A derivation's name without the store's folder, hash and ending. */
export function nameOf(derivation: string): string {
  return derivation.replace(/^.*\/[0-9a-z]{32}-/, "").replace(/\.drv$/, "");
}

function readIfThere(path: string): string {
  try {
    return readRegularText(path);
  } catch {
    return "";
  }
}
