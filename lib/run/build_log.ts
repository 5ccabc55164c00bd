/** The whole output of one build, in a file that is made with its first line. */
export class BuildLog {
  readonly #path: string;
  readonly #prepare: () => void;
  readonly #encoder = new TextEncoder();
  #file: Deno.FsFile | undefined;
  #closed = false;

  constructor(path: string, prepare: () => void) {
    this.#path = path;
    this.#prepare = prepare;
  }

  /** Adds a line. Lines after {@link close} are dropped. */
  line(text: string): void {
    if (this.#closed) return;
    this.#file ??= this.#open();
    const bytes = this.#encoder.encode(`${text}\n`);
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }

  /** Closes the file. */
  close(): void {
    this.#closed = true;
    this.#file?.close();
    this.#file = undefined;
  }

  #open(): Deno.FsFile {
    this.#prepare();
    Deno.mkdirSync(this.#path.slice(0, this.#path.lastIndexOf("/")), { recursive: true });
    return Deno.openSync(this.#path, { create: true, write: true, truncate: true });
  }
}
