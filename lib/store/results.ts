/** Results by key: all that were recorded, many for a name, for states of a project that come back. */

import { sealed } from "../model/sealed.ts";
import { namesIn } from "../util/names_in.ts";
import { readRecord } from "./records.ts";
import type { State } from "./state.ts";

/** How many earlier results of a name are looked through for one whose circumstances hold again. */
const SEARCHED = 16;

/** The results of images, or of tasks. */
export class ResultFolder<T extends { readonly schema: number; readonly key: string }> {
  readonly #state: State;
  readonly #folder: string;

  constructor(state: State, type: "images" | "tasks") {
    this.#state = state;
    this.#folder = `${state.results}/${type}`;
  }

  /** The result of a key; undefined where there is none that can be read. */
  get(name: string, key: string): T | undefined {
    const record = readRecord<T>(this.#path(name, key));
    return record?.key === key ? record : undefined;
  }

  /** Yields the results of a name, the last used first; few are ever looked at. */
  *history(name: string): Generator<T> {
    const folder = `${this.#folder}/${name}`;
    const files = namesIn(folder).map((file) => ({ file, used: usedAt(`${folder}/${file}`) }))
      .sort((a, b) => b.used - a.used);
    for (const { file } of files.slice(0, SEARCHED)) {
      const record = readRecord<T>(`${folder}/${file}`);
      if (record !== undefined) yield record;
    }
  }

  /** Keeps a result as the last used of its name. */
  put(name: string, record: T): void {
    const path = this.#path(name, record.key);
    // A run that was killed leaves its temporary files where the next one looks for them.
    using temporary = this.#state.temporaryFile(`${record.key}.json`);
    temporary.write(sealed(record));
    Deno.mkdirSync(`${this.#folder}/${name}`, { recursive: true });
    temporary.moveTo(path);
  }

  #path(name: string, key: string): string {
    return `${this.#folder}/${name}/${key}.json`;
  }
}

/** When a result was last written, in milliseconds since 1970; 0 where it is gone by now. */
function usedAt(path: string): number {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? 0;
  } catch {
    return 0;
  }
}
