/** The most characters of a line that are kept; a progress bar without newlines has no end. */
const LINE_LIMIT = 64 * 1024;

/** Calls back for each line of a stream of UTF-8, without its line ending. */
export async function eachLine(
  stream: ReadableStream<Uint8Array>,
  each: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (
    const text of stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
  ) {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) each(line);
    if (rest.length > LINE_LIMIT) {
      each(rest);
      rest = "";
    }
  }
  if (rest !== "") each(rest.replace(/\r$/, ""));
}
