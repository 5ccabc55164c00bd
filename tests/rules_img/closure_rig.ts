/** A folder that stands for a workspace where no Bazel is asked. */

import { FileIndex } from "../../lib/files/index.ts";

/** A folder with these files; a text that starts with `→ ` is the target of a link. */
export class Workspace implements Disposable {
  readonly #parent = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "images-closure-" }));
  /** Absolute path. */
  readonly path = `${this.#parent}/ws`;

  /** Makes it of these files. */
  constructor(files: Readonly<Record<string, string>>) {
    Deno.mkdirSync(this.path);
    this.write(files);
  }

  /** Writes more of them: path → text. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = `${this.path}/${name}`;
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      if (text.startsWith("→ ")) Deno.symlinkSync(text.slice(2), path);
      else Deno.writeTextFileSync(path, text);
    }
  }

  /** Paths below the workspace, sorted. */
  inside(paths: Iterable<string>): string[] {
    return [...paths].map((path) => path.replace(`${this.path}/`, "")).sort();
  }

  /** What selections take of it. */
  async tree(selections: Parameters<FileIndex["tree"]>[0]) {
    return await FileIndex.open(this.path, `${this.#parent}/index`).tree(selections);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#parent, { recursive: true });
  }
}
