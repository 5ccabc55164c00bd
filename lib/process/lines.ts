/** Cutting output into lines. */

/** The most characters of a line that are kept together; a progress bar has no end. */
const LINE_LIMIT = 64 * 1024;

/** Collects text and hands it on line by line, without line endings. */
export class LineSplitter {
  readonly #each: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(each: (line: string) => void) {
    this.#each = each;
  }

  /** Adds a piece of UTF-8. */
  add(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true }))
      .split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#each(line);
    if (this.#rest.length > LINE_LIMIT) this.end();
  }

  /** Hands on a last line that has no ending. */
  end(): void {
    if (this.#rest !== "") this.#each(this.#rest.replace(/\r$/, ""));
    this.#rest = "";
  }

  /** The same as a stream, whose end is the end of the last line. */
  writable(): WritableStream<Uint8Array> {
    return new WritableStream({ write: (chunk) => this.add(chunk), close: () => this.end() });
  }
}

/** Calls back for each line of a stream of UTF-8, without its line ending. */
export async function eachLine(
  stream: ReadableStream<Uint8Array>,
  each: (line: string) => void,
): Promise<void> {
  const splitter = new LineSplitter(each);
  for await (const chunk of stream) splitter.add(chunk);
  splitter.end();
}
