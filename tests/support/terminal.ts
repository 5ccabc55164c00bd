/**
 * A real terminal to run a command in: tmux, with a server of its own. It is spoken to in tmux's
 * control mode, which says when a pane has printed something, so nothing here waits for a time.
 *
 * @see https://github.com/tmux/tmux/wiki/Control-Mode
 */

import { eachLine } from "../../lib/process/lines.ts";
import { inheritedEnvironment } from "./deno_environment.ts";

/** How a terminal is started. */
export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly cwd: string;
  /** Added to a small environment without anything of CI. */
  readonly env?: Readonly<Record<string, string>>;
}

const CONFIG = `set -g status off
set -g history-limit 20000
set -g default-terminal tmux-256color
`;

/** Runs a command, says how it ended, and keeps the terminal open. A Ctrl-C is the command's. */
const WRAPPER = `folder=$1; shift
trap : INT QUIT
sh -c 'echo $$ > "$0/pid"; exec "$@"' "$folder" "$@"
echo $? > "$folder/status"
tmux -S "$folder/socket" wait-for -S ended
exec cat`;

/** How long a condition is waited for before it counts as missed, in milliseconds. */
const PATIENCE = 120_000;

/** A command running in a terminal. */
export class Terminal implements AsyncDisposable {
  readonly #folder: string;
  readonly #tmux: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #replies: ((lines: readonly string[]) => void)[] = [];
  #ended: Promise<unknown> = Promise.resolve();
  #printed = Promise.withResolvers<void>();
  #isOver = false;
  #raw = "";

  private constructor(folder: string, tmux: Deno.ChildProcess) {
    this.#folder = folder;
    this.#tmux = tmux;
    this.#writer = tmux.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Starts a command in a terminal of its own. */
  static async start(command: readonly string[], options: TerminalOptions): Promise<Terminal> {
    const { columns = 80, rows = 24, cwd, env = {} } = options;
    const folder = await Deno.makeTempDir({ prefix: "images-tmux-" });
    await Deno.writeTextFile(`${folder}/tmux.conf`, CONFIG);
    const tmux = new Deno.Command("tmux", {
      args: [
        ...["-S", `${folder}/socket`, "-f", `${folder}/tmux.conf`, "-C", "new-session"],
        ...["-x", `${columns}`, "-y", `${rows}`, "sh", "-c", WRAPPER, "sh"],
        ...[folder, ...command],
      ],
      cwd,
      clearEnv: true,
      env: { ...inheritedEnvironment(), LANG: "C.UTF-8", TERM: "xterm-256color", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const terminal = new Terminal(folder, tmux);
    await terminal.resize(columns, rows);
    terminal.#ended = terminal.#run("wait-for", "ended").then(() => {
      terminal.#isOver = true;
      terminal.#printed.resolve();
    });
    return terminal;
  }

  /** Everything the command has printed, escape sequences and all. */
  get raw(): string {
    return this.#raw;
  }

  /** What can be seen, without what is empty at its end. */
  async screen(): Promise<string> {
    return trimmed(await this.#ask("capture-pane -p"));
  }

  /** What can be seen, and what has scrolled away. */
  async history(): Promise<string> {
    return trimmed(await this.#ask("capture-pane -p -S -"));
  }

  /** Waits until what can be seen is as it should be; answers with it. */
  async until(isThere: (screen: string) => boolean): Promise<string> {
    let screen = "";
    const isSeen = async () => isThere(screen = await this.screen());
    if (await this.#comes(isSeen)) return screen;
    throw new Error(`waited for ${isThere}; the terminal shows:\n${screen}`);
  }

  /** Waits until the command has ended; answers with its exit status. */
  async ended(): Promise<number> {
    await this.#ended;
    return Number(await Deno.readTextFile(`${this.#folder}/status`));
  }

  /** Whether the cursor can be seen. */
  async hasCursor(): Promise<boolean> {
    const [flag] = await this.#ask("display-message -p '#{cursor_flag}'");
    return flag === "1";
  }

  /** Waits until the cursor can be seen, or no longer can. */
  async untilCursor(visible: boolean): Promise<void> {
    if (await this.#comes(async () => await this.hasCursor() === visible)) return;
    throw new Error(`the cursor is ${visible ? "hidden" : "shown"}:\n${await this.screen()}`);
  }

  /** Sends a signal to the command. */
  async signal(signal: Deno.Signal): Promise<void> {
    Deno.kill(await this.#pid(), signal);
  }

  /** Waits until the command is stopped, as by Ctrl-Z. */
  async untilStopped(): Promise<void> {
    const path = `/proc/${await this.#pid()}/stat`;
    const patience = AbortSignal.timeout(PATIENCE);
    while (!/\) T /.test(await Deno.readTextFile(path))) patience.throwIfAborted();
  }

  /** Looks again after each print, until it is so, or nothing more comes or patience is over. */
  async #comes(isSo: () => Promise<boolean>): Promise<boolean> {
    const patience = AbortSignal.timeout(PATIENCE);
    const { promise: over, resolve } = Promise.withResolvers<void>();
    patience.addEventListener("abort", () => resolve());
    for (;;) {
      const printed = this.#printed.promise;
      const isLast = this.#isOver || patience.aborted;
      if (await isSo()) return true;
      if (isLast) return false;
      await Promise.race([printed, over]);
    }
  }

  async #pid(): Promise<number> {
    return Number(await Deno.readTextFile(`${this.#folder}/pid`));
  }

  /** Types keys, as tmux names them: `C-c`, `Enter`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#ask(`send-keys ${keys.join(" ")}`);
  }

  /** Gives the terminal another size. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#ask(`refresh-client -C ${columns}x${rows}`);
  }

  /** Ends the command and the terminal. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) await this.signal("SIGKILL").catch(() => {});
    await this.#run("kill-server");
    await this.#writer.close().catch(() => {});
    await this.#reading;
    await this.#tmux.status;
    await this.#ended;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #run(...args: readonly string[]): Promise<Deno.CommandOutput> {
    const all = ["-S", `${this.#folder}/socket`, ...args];
    return await new Deno.Command("tmux", { args: all, stdin: "null" }).output();
  }

  async #ask(command: string): Promise<readonly string[]> {
    const reply = new Promise<readonly string[]>((resolve) => this.#replies.push(resolve));
    await this.#writer.write(new TextEncoder().encode(`${command}\n`));
    return await reply;
  }

  async #read(): Promise<void> {
    let block: string[] | undefined;
    let isOurs = false;
    await eachLine(this.#tmux.stdout, (line) => {
      if (block !== undefined && /^%(end|error) /.test(line)) {
        if (isOurs) this.#replies.shift()?.(block);
        block = undefined;
      } else if (block !== undefined) block.push(line);
      else if (line.startsWith("%begin ")) {
        block = [];
        // The last number says whether the block answers a command of this client.
        isOurs = line.endsWith(" 1");
      } else if (line.startsWith("%output ")) {
        this.#raw += unescaped(line.slice(line.indexOf(" ", 8) + 1));
        if (this.#isOver) return;
        this.#printed.resolve();
        this.#printed = Promise.withResolvers();
      }
    });
    this.#printed.resolve();
    for (const resolve of this.#replies.splice(0)) resolve([]);
  }
}

function trimmed(lines: readonly string[]): string {
  return lines.join("\n").replace(/\s+$/, "");
}

/** Control characters and backslashes come as three octal digits, one for each byte. */
function unescaped(text: string): string {
  return text.replace(
    /\\(\d{3})/g,
    (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
