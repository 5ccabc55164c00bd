/**
 * Comparing whole programs: all contenders in turn, several rounds, the best of each told as a ratio
 * to the first. Whatever else the machine does hits all of them.
 */

/** How often each contender has its turn. */
export const ROUNDS = Number(Deno.env.get("IMAGES_BENCH_ROUNDS") ?? 3);

/**
 * Registers a comparison: the runner calls a bench again and again, and this has its own rounds. It
 * waits only for functions that are written as async.
 */
export function benchOnce(name: string, run: () => Promise<void>): void {
  let comparison: Promise<void> | undefined;
  Deno.bench(name, { n: 1, warmup: 0 }, async () => await (comparison ??= run()));
}

/** One way of doing the work. */
export interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Done before each round and not measured. */
  readonly prepare?: () => void | Promise<void>;
}

/** The best of several rounds. */
export interface Figure {
  readonly name: string;
  readonly seconds: number;
  /** Seconds of processor time, of user and system, with its children. */
  readonly cpu: number;
  /** As a multiple of the first contender's time. */
  readonly ratio: number;
  /** Most memory of any round, in MB; of a client of an engine only the client's. */
  readonly megabytes: number;
}

/** Runs all contenders so many times in turn. */
export async function compare(
  contenders: readonly Contender[],
  rounds: number,
): Promise<readonly Figure[]> {
  const best = new Map<string, Omit<Figure, "name" | "ratio">>();
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      await contender.prepare?.();
      const { seconds, cpu, megabytes } = await measure(contender);
      const before = best.get(contender.name);
      best.set(contender.name, {
        seconds: Math.min(seconds, before?.seconds ?? Infinity),
        cpu: Math.min(cpu, before?.cpu ?? Infinity),
        megabytes: Math.max(megabytes, before?.megabytes ?? 0),
      });
    }
  }
  const first = best.get(contenders[0]!.name)!.seconds;
  return [...best].map(([name, figure]) => ({ name, ...figure, ratio: figure.seconds / first }));
}

/** Prints figures as a table. */
export function show(title: string, figures: readonly Figure[]): void {
  const width = Math.max(...figures.map(({ name }) => name.length));
  console.log(`\n${title}`);
  for (const { name, seconds, cpu, ratio, megabytes } of figures) {
    console.log(
      `  ${name.padEnd(width)}  ${seconds.toFixed(2).padStart(6)} s` +
        `  ${ratio.toFixed(2).padStart(6)} ×  ${cpu.toFixed(2).padStart(6)} s of CPU` +
        `  ${megabytes.toFixed(0).padStart(5)} MB`,
    );
  }
}

/** Time and memory of one run, as GNU time tells them. */
async function measure({ name, command, cwd, env }: Contender) {
  const file = await Deno.makeTempFile();
  try {
    const { success, stderr } = await new Deno.Command("/usr/bin/time", {
      args: ["--output", file, "--format", "%e %U %S %M", ...command],
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(`${name} failed:\n${new TextDecoder().decode(stderr)}`);
    const [seconds = NaN, user = NaN, system = NaN, kilobytes = NaN] =
      (await Deno.readTextFile(file)).trim().split(" ")
        .map(Number);
    return { seconds, cpu: user + system, megabytes: kilobytes / 1024 };
  } finally {
    await Deno.remove(file);
  }
}
