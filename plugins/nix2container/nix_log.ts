/**
 * Nix's log in its `internal-json` format: one event a line. Each line of a build goes to the images
 * it is built for.
 *
 * @see https://github.com/NixOS/nix/blob/2.8.0/src/libutil/logging.hh
 */

import type { BuildContext } from "../../lib/model/plugin.ts";
import { type Derivations, nameOf } from "./derivations.ts";

/** Numbers of activities and results in `logging.hh`. */
const BUILD = 105;
const BUILDS = 104;
const LOG_LINE = 101;
const POST_BUILD_LINE = 107;
const PROGRESS = 105;

/** The most talkative level that is shown without being asked for. */
const INFO = 3;

/** An image that is being built. */
export interface Built {
  readonly derivation: string;
  readonly context: BuildContext;
}

interface Event {
  readonly action: "start" | "stop" | "result" | "msg";
  readonly id?: number;
  readonly type?: number;
  readonly level?: number;
  readonly text?: string;
  readonly msg?: string;
  readonly fields?: readonly (string | number)[];
}

/** Takes the lines of one `nix build`. */
export class NixLog {
  /** Errors so far, without colours. */
  readonly errors: string[] = [];
  readonly #images: readonly Built[];
  readonly #derivations: Derivations;
  /** Activity → the derivation that it builds. */
  readonly #building = new Map<number, string>();
  #builds: number | undefined;

  constructor(images: readonly Built[], derivations: Derivations) {
    this.#images = images;
    this.#derivations = derivations;
  }

  /** Paths in the store of all that was built, or begun, and not only found. */
  get outputs(): readonly string[] {
    return [...new Set(this.#building.values())]
      .flatMap((each) => this.#derivations.outputs(each));
  }

  /** Takes one line. */
  line(line: string): void {
    const event = parse(line);
    if (event === undefined) this.#log(undefined, line);
    else if (event.action === "start") this.#start(event);
    else if (event.action === "result") this.#result(event);
    else if (event.action === "msg") this.#message(event);
  }

  /** The images that need one of the derivations a text names; all where it names none of theirs. */
  concerned(text: string): readonly Built[] {
    const named = [...text.matchAll(/\/[^\s']+\.drv/g)].map(([path]) => path);
    const images = this.#images.filter((image) => named.some((path) => this.#needs(image, path)));
    return images.length === 0 ? this.#images : images;
  }

  #start({ id = 0, type, text = "", level = 0, fields = [] }: Event): void {
    if (type === BUILDS) this.#builds = id;
    const derivation = type === BUILD ? String(fields[0]) : undefined;
    if (derivation !== undefined) {
      this.#building.set(id, derivation);
      for (const { context } of this.#imagesOf(derivation)) {
        context.progress({ phase: `building ${nameOf(derivation)}` });
      }
    }
    if (text !== "" && level <= INFO) this.#log(derivation, text);
  }

  #result({ id = 0, type, fields = [] }: Event): void {
    if (type === LOG_LINE || type === POST_BUILD_LINE) {
      const derivation = this.#building.get(id);
      const prefix = derivation === undefined ? "" : `${nameOf(derivation)}> `;
      this.#log(derivation, prefix + fields[0]);
    } else if (type === PROGRESS && id === this.#builds) {
      const [done, total] = fields.map(Number);
      const progress = { phase: "building", done: done ?? 0, total: total ?? 0 };
      for (const { context } of this.#images) context.progress({ ...progress, unit: "steps" });
    }
  }

  #message({ level = 0, msg = "" }: Event): void {
    const text = withoutColours(msg);
    if (level === 0) this.errors.push(text.replace(/^error:\s*/, ""));
    if (level > INFO) return;
    for (const { context } of this.concerned(text)) text.split("\n").forEach(context.log);
  }

  #log(derivation: string | undefined, line: string): void {
    for (const { context } of this.#imagesOf(derivation)) context.log(withoutColours(line));
  }

  #imagesOf(derivation: string | undefined): readonly Built[] {
    if (derivation === undefined || this.#images.length === 1) return this.#images;
    const images = this.#images.filter((image) => this.#needs(image, derivation));
    return images.length === 0 ? this.#images : images;
  }

  #needs(image: Built, derivation: string): boolean {
    return this.#derivations.closure(image.derivation).has(derivation);
  }
}

function parse(line: string): Event | undefined {
  if (!line.startsWith("@nix ")) return undefined;
  try {
    return JSON.parse(line.slice("@nix ".length)) as Event;
  } catch {
    return undefined;
  }
}

function withoutColours(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\u001b\[[0-9;]*m/g, "");
}
