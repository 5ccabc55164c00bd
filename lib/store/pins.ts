/** `images.lock`: what base images and remote sources are pinned to, for people to commit. */

import { isObject } from "../dsl/shape.ts";
import { canonicalJson } from "../oci/json.ts";
import { type Digest, isDigest } from "../model/digest.ts";
import { usageFault } from "../model/errors.ts";
import { isSourceIdentity, type SourceState } from "../model/source.ts";
import type { Json } from "../model/json.ts";
import { removeLeftovers } from "../util/temporary.ts";
import { isReference } from "../model/reference.ts";
import { writeAtomic } from "./atomic.ts";
import { readRegularText } from "../util/regular_file.ts";

const SCHEMA = 1;

/** The pins of one project. */
export class Pins {
  /** Base reference → digest. */
  readonly digests: ReadonlyMap<string, Digest>;
  /** Name of a remote source → what it is. */
  readonly sources: ReadonlyMap<string, SourceState>;

  constructor(
    digests: ReadonlyMap<string, Digest>,
    sources: ReadonlyMap<string, SourceState> = new Map(),
  ) {
    this.digests = digests;
    this.sources = sources;
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
      const { schema, bases, sources = {} } = (JSON.parse(text) ?? {}) as Record<string, unknown>;
      const digests = isObject(bases) ? Object.entries(bases) : undefined;
      const states = isObject(sources) ? Object.entries(sources) : undefined;
      const isWell = schema === SCHEMA && digests?.every(([, digest]) => isDigest(digest)) &&
        states?.every(([, state]) => isSourceState(state));
      if (!isWell) throw new Error("it has another shape");
      const odd = digests!.find(([reference]) => !isReference(reference));
      if (odd !== undefined) throw new Error(`"${odd[0]}" is no image reference`);
      return new Pins(
        new Map(digests as [string, Digest][]),
        new Map(states as [string, SourceState][]),
      );
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
    const members = [`"schema": ${SCHEMA}`, `"bases": ${table(this.digests)}`];
    if (this.sources.size > 0) members.push(`"sources": ${table(this.sources)}`);
    const text = `{\n${members.map((member) => `  ${member}`).join(",\n")}\n}\n`;
    const path = behindLink(pinsPath(root));
    removeLeftovers(path.slice(0, path.lastIndexOf("/")));
    writeAtomic(path, text);
  }
}

function table(entries: ReadonlyMap<string, unknown>): string {
  const lines = [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `    ${canonicalJson(name)}: ${canonicalJson(value as Json)}`);
  return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n  }`;
}

function isSourceState(value: unknown): value is SourceState {
  if (!isObject(value)) return false;
  const { identity, etag, lastModified, size } = value;
  return isSourceIdentity(identity) &&
    [etag, lastModified].every((each) => each === undefined || typeof each === "string") &&
    (size === undefined || Number.isSafeInteger(size));
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
