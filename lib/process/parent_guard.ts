/**
 * A shell beside this process that outlives it, should it be killed: what was started and has not
 * ended by then is asked to end, and ended after a grace period. It learns of the death by the end
 * of its input, so nothing has to be told and nothing is polled.
 */

/**
 * Each line of input is `+` or `-` and what is meant: a process group by its number, or a text in
 * the environment of processes. `kill`, `read`, `case` and `[` are the shell's own.
 */
const SCRIPT = `
trap '' HUP INT TERM
held=
while read -r change subject; do
  if [ "$change" = + ]; then held="$held $subject"; continue; fi
  left=
  for other in $held; do [ "$other" = "$subject" ] || left="$left $other"; done
  held=$left
done
members() {
  for subject in $held; do
    case $subject in
      *[!0-9]*)
        for file in /proc/[0-9]*/environ; do
          grep -aqsF -e "$subject" "$file" || continue
          pid=\${file#/proc/}
          echo "\${pid%/environ}"
        done ;;
      *) kill -0 "-$subject" && echo "-$subject" ;;
    esac
  done
}
end() { for pid in $(members); do kill "-$1" "$pid"; done; }
[ -n "$held" ] || exit 0
end TERM
tries=0
while [ -n "$(members)" ] && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
end KILL
`;

/** The shell while anything is held. */
interface Shell {
  readonly child: Deno.ChildProcess;
  readonly input: Input;
  held: number;
}

/** Where the shell reads. */
interface Input {
  write(bytes: Uint8Array): void;
  close(): Promise<void>;
}

const encoder = new TextEncoder();
let running: Shell | undefined;

/**
 * Lets something end with this process, however that ends.
 *
 * @param subject number of a process group, or an assignment in the environment of processes.
 * @returns lets go of it again.
 */
export function guard(subject: number | string): () => Promise<void> {
  const shell = running ?? start();
  if (shell === undefined) return () => Promise.resolve();
  running = shell;
  shell.held++;
  tell(shell, "+", subject);
  return async () => {
    tell(shell, "-", subject);
    if (--shell.held > 0) return;
    running = undefined;
    await shell.input.close();
    await shell.child.status;
  };
}

/** Where there is no shell, nothing is guarded. */
function start(): Shell | undefined {
  try {
    const child = new Deno.Command("sh", {
      args: ["-c", SCRIPT],
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
      cwd: "/",
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      // An interrupt from a terminal is for this process, which ends what it started itself.
      detached: true,
    }).spawn();
    return { child, input: inputOf(child), held: 0 };
  } catch {
    return undefined;
  }
}

/**
 * The pipe itself where the system shows it: what is told through it has been told at once. A stream
 * writes later, when a kill may have come by then.
 */
function inputOf(child: Deno.ChildProcess): Input {
  const close = () => child.stdin.close().catch(() => {});
  try {
    const pipe = Deno.openSync(`/proc/${child.pid}/fd/0`, { write: true });
    return {
      write: (bytes) => void pipe.writeSync(bytes),
      close: () => {
        pipe.close();
        return close();
      },
    };
  } catch {
    const writer = child.stdin.getWriter();
    return {
      write: (bytes) => void writer.write(bytes).catch(() => {}),
      close: () => writer.close().catch(() => {}),
    };
  }
}

function tell({ input }: Shell, change: string, subject: number | string): void {
  try {
    input.write(encoder.encode(`${change} ${subject}\n`));
  } catch {
    // The shell has been ended.
  }
}
