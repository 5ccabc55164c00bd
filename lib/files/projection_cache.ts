/**
 * What projections of files came to, kept on disk by what the files held: while a file's content is
 * known, no parser is loaded for it.
 */

import type { ProjectedPart } from "../model/projection.ts";
import { sealed, unsealed } from "../model/sealed.ts";
import { TemporaryFile } from "../util/temporary.ts";

/** Raised when the same file and projection would give another digest. */
export const PROJECTION_SCHEMA = 2;

/** What stands for a file's digest. */
export interface Projected {
  readonly digest: string;
  /** Why the whole file counts, where it does. */
  readonly whole?: string;
}

/** The projections of one project; what is new is written by {@link ProjectionCache.save}. */
export class ProjectionCache {
  /** Absolute path. */
  readonly #folder: string | undefined;
  readonly #known = new Map<string, object>();
  readonly #new = new Set<string>();

  /** @param stateFolder absolute path of the state; without it nothing is kept on disk. */
  constructor(stateFolder: string | undefined) {
    this.#folder = stateFolder && `${stateFolder}/cache/projections`;
  }

  /** What a projection came to, by a digest of it and of the file's content. */
  projected(key: string): Projected | undefined {
    return this.#get<Projected>(`of-${key}`);
  }

  /** The parts behind a projected digest; undefined where they are not kept. */
  parts(digest: string): readonly ProjectedPart[] | undefined {
    return this.#get<{ parts: readonly ProjectedPart[] }>(`parts-${digest}`)?.parts;
  }

  /** Keeps what a projection came to. */
  keep(key: string, projected: Projected, parts?: readonly ProjectedPart[]): void {
    if (parts !== undefined) this.#put(`parts-${projected.digest}`, { parts });
    this.#put(`of-${key}`, projected);
  }

  /** Writes what is new. */
  save(): void {
    if (this.#folder === undefined || this.#new.size === 0) return;
    Deno.mkdirSync(this.#folder, { recursive: true });
    for (const name of this.#new) {
      const path = `${this.#folder}/${name}.json`;
      using temporary = TemporaryFile.create(path);
      temporary.write(sealed(this.#known.get(name)!));
      temporary.moveTo(path);
    }
    this.#new.clear();
  }

  #get<T extends object>(name: string): T | undefined {
    const known = this.#known.get(name) ?? this.#read(name);
    if (known !== undefined) this.#known.set(name, known);
    return known as T | undefined;
  }

  #put(name: string, value: object): void {
    this.#known.set(name, value);
    this.#new.add(name);
  }

  #read(name: string): object | undefined {
    if (this.#folder === undefined) return undefined;
    try {
      return unsealed(Deno.readFileSync(`${this.#folder}/${name}.json`));
    } catch (error) {
      const isMiss = error instanceof Deno.errors.NotFound || error instanceof SyntaxError;
      if (isMiss) return undefined;
      throw error;
    }
  }
}
