/**
 * The command line, command after command: each is a line of JSON on standard input, and ends with
 * a mark on both outputs. The mark is the argument; on standard output the exit status follows it.
 */

import { main } from "../../tasks/cli/command_line.ts";

const [mark = ""] = Deno.args;

for await (const line of lines()) {
  const status = await main(JSON.parse(line) as string[]);
  write(Deno.stderr, `${mark}\n`);
  write(Deno.stdout, `${mark}${status}\n`);
}
Deno.exit(0);

async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const whole = (rest + text).split("\n");
    rest = whole.pop()!;
    yield* whole;
  }
}

function write(to: typeof Deno.stdout, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}
