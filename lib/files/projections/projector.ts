/** Putting the part of a file that counts in the place of the whole. */

import { createHash } from "node:crypto";
import { manifestOf, type ProjectedPart, type Projection } from "../../model/projection.ts";
import type { Entry } from "../../model/selection.ts";
import { readRegularFile, readRegularText } from "../../util/regular_file.ts";
import { type Projected, PROJECTION_SCHEMA, type ProjectionCache } from "../projection_cache.ts";
import { NotUnderstood, type Part } from "./part.ts";

/** Bytes of the largest file that is read for a part of it. */
const LARGEST = 128 * 1024 * 1024;

/** Hex digits of a part's digest: they only tell what has changed. */
const SHORT = 16;

/** The projections of one input tree. */
export class Projector {
  readonly #cache: ProjectionCache;
  readonly #byPath = new Map<string, Projection[]>();
  readonly #onWhole: (path: string, why: string) => void;

  /** @param onWhole told of files that count as a whole, and why. */
  constructor(
    cache: ProjectionCache,
    projections: readonly Projection[],
    onWhole: (path: string, why: string) => void,
  ) {
    this.#cache = cache;
    this.#onWhole = onWhole;
    for (const projection of projections) {
      const others = this.#byPath.get(projection.path);
      if (others === undefined) this.#byPath.set(projection.path, [projection]);
      else others.push(projection);
    }
  }

  /**
   * The entry with the digest of the parts that count.
   *
   * @param relative the file's path, relative to the project's folder.
   * @param path its absolute path.
   */
  async project(relative: string, path: string, entry: Entry): Promise<Entry> {
    const projections = this.#byPath.get(relative);
    if (projections === undefined || entry.type !== "file" || entry.digest === undefined) {
      return entry;
    }
    const named = await Promise.all(projections.map((each) => withName(each, relative, path)));
    const rules = named.map(({ path: _, ...rule }) => rule);
    const formats = projections.map(({ path }) => path.slice(path.lastIndexOf("/") + 1));
    const key = sha256(JSON.stringify([PROJECTION_SCHEMA, entry.digest, formats, rules]));
    const known = this.#cache.projected(key) ?? await this.#read(key, path, entry, named);
    if (known.whole !== undefined) this.#onWhole(relative, known.whole);
    return { ...entry, digest: known.digest };
  }

  async #read(
    key: string,
    path: string,
    { digest: content, size }: Entry,
    projections: readonly Projection[],
  ): Promise<Projected> {
    const whole = (why: string): Projected => ({ digest: content!, whole: why });
    if (size > LARGEST) return whole("it is too large");
    const bytes = readRegularFile(path);
    // What it was when it was hashed is what counts; the next look sees that it has changed.
    if (sha256(bytes) !== content) return whole("it changed while it was read");
    let projected: Projected;
    let parts: ProjectedPart[] | undefined;
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      const found: Part[] = [];
      for (const each of projections) found.push(...await partsOf(text, each));
      ({ parts, ...projected } = digestOf(found));
    } catch (error) {
      projected = whole(reasonOf(error));
    }
    this.#cache.keep(key, projected, parts);
    return projected;
  }
}

/**
 * A projection whose member is called what its Cargo.toml says; one that cannot be read leaves the
 * folder, which is no member's name. The Cargo.toml is an input of its own.
 */
async function withName(each: Projection, relative: string, path: string): Promise<Projection> {
  const manifest = manifestOf(each);
  if (manifest === undefined) return each;
  const { packageName } = await import("./cargo.ts");
  try {
    const file = `${path.slice(0, -relative.length)}${manifest}`;
    return { ...each, workspace: packageName(readRegularText(file)) } as Projection;
  } catch {
    return each;
  }
}

async function partsOf(text: string, projection: Projection): Promise<readonly Part[]> {
  if (projection.projection === "json") {
    return (await import("./json_fields.ts")).jsonFields(text, projection);
  }
  return await (await import("./lockfile.ts")).lockfileParts(text, projection);
}

function digestOf(found: readonly Part[]): { digest: string; parts: ProjectedPart[] } {
  const lines = found.map(({ type, name, version = null, value }) =>
    JSON.stringify([type, name, version, value])
  );
  // Two projections may have parts in common.
  const text = `images-projection-${PROJECTION_SCHEMA}\n${[...new Set(lines)].sort().join("\n")}`;
  const parts = found.map(({ value, ...part }) => ({
    ...part,
    digest: sha256(value).slice(0, SHORT),
  }));
  return { digest: sha256(text), parts };
}

/** Any error of a parser says that it cannot read the file. */
function reasonOf(error: unknown): string {
  const [first = ""] = (error as Error).message.split("\n");
  return error instanceof NotUnderstood ? first : `it cannot be read: ${first}`;
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
