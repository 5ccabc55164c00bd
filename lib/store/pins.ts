/** `images.lock`: the digests that base images are pinned to, for people to commit. */

import { isObject } from "../dsl/shape.ts";
import { canonicalJson } from "../oci/json.ts";
import { type Digest, isDigest } from "../model/digest.ts";
import { usageFault } from "../model/errors.ts";
import { removeLeftovers } from "../util/temporary.ts";
import { isReference } from "../model/reference.ts";
import { writeAtomic } from "./atomic.ts";
import { readRegularText } from "../util/regular_file.ts";

const SCHEMA = 1;

/** The pins of one project. */
export class Pins {
  /** Base reference → digest. */
  readonly digests: ReadonlyMap<string, Digest>;

  constructor(digests: ReadonlyMap<string, Digest>) {
    this.digests = digests;
  }

  /**
   * Reads the pins beside images.ts; no file means no pins.
   *
   * @throws {Fault} when the file cannot be read.
   */
  static read(root: string): Pins {
    const path = pinsPath(root);
    const text = readIfThere(path);
    if (text === undefined) return new Pins(new Map());
    try {
      const { schema, bases } = (JSON.parse(text) ?? {}) as { schema?: unknown; bases?: unknown };
      const digests = isObject(bases) ? Object.entries(bases) : undefined;
      if (schema !== SCHEMA || !digests?.every(([, digest]) => isDigest(digest))) {
        throw new Error("it has another shape");
      }
      const odd = digests.find(([reference]) => !isReference(reference));
      if (odd !== undefined) throw new Error(`"${odd[0]}" is no image reference`);
      return new Pins(new Map(digests as [string, Digest][]));
    } catch (cause) {
      throw usageFault(`Cannot read images.lock: ${(cause as Error).message}`, {
        where: path,
        next: "remove the file and run `images pin`",
        cause,
      });
    }
  }

  /** Writes these pins, one a line, sorted. */
  write(root: string): void {
    const lines = [...this.digests].sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([reference, digest]) => `    ${canonicalJson(reference)}: ${canonicalJson(digest)}`);
    const bases = lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n  }`;
    const path = behindLink(pinsPath(root));
    removeLeftovers(path.slice(0, path.lastIndexOf("/")));
    writeAtomic(path, `{\n  "schema": ${SCHEMA},\n  "bases": ${bases}\n}\n`);
  }
}

function pinsPath(root: string): string {
  return `${root}/images.lock`;
}

/** A link stays one: what it leads to is written. */
function behindLink(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readRegularText(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
