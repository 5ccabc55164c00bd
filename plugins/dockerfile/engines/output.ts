/**
 * Reading an engine's plain output: how far the build is, what it pulls, which step failed, and the
 * last lines of that step.
 */

import type { Progress } from "../../../lib/model/plugin.ts";

/** Where in the Dockerfile a build was when it ended. */
export type StepPlace =
  /** A line of the Dockerfile, from 1. */
  | { readonly line: number }
  /** Counted as the engine counts: stage and step from 1, and the steps that the stage has. */
  | { readonly stage: number; readonly step: number; readonly of: number }
  /** Steps of all stages counted together, from 1. */
  | { readonly step: number };

/** The most lines that are kept of a step's output. */
const KEPT = 10;

/** `#7 [build 3/7] RUN make`; of several platforms `#7 [linux/arm64 build 3/7] RUN make`. */
const VERTEX = /^#(\d+) \[(?:(.+?) +)?(\d+)\/(\d+)\] /;
const VERTEX_END = /^#(\d+) (?:DONE\b|CACHED$)/;
const VERTEX_ERROR = /^#(\d+) ERROR: (.*)$/;
/** `#7 0.512 a line that RUN printed`. */
const VERTEX_OUTPUT = /^#(\d+) \d+\.\d+ (.*)$/;
/** `#5 sha256:c631… 5.24MB / 41.90MB 0.2s`. */
const TRANSFER = /^#\d+ (sha256:[0-9a-f]{12,64}) ([\d.]+)([kMGT]?B) \/ ([\d.]+)([kMGT]?B)/;
/** BuildKit's last words: the line that failed. */
const FAILED_LINE = /^\S+:(\d+)$/;
/** `STEP 3/7: RUN make`; of several stages `[1/2] STEP 3/7: RUN make`. */
const STEP = /^(?:\[(\d+)\/\d+\] )?STEP (\d+)\/(\d+): /;
/** The classic builder's `Step 3/7 : RUN make`. */
const CLASSIC_STEP = /^Step (\d+)\/(\d+) : /;
const PULLING = /^(?:Trying to pull |Copying blob |Pulling from |[0-9a-f]{12}: Pulling )/;

const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** Follows one build. */
export class OutputWatcher {
  readonly #tell: (progress: Progress) => void;
  /** Steps of each stage, as far as they are known. */
  readonly #sizes = new Map<string, number>();
  readonly #vertices = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #transfers = new Map<string, { done: number; total: number }>();
  readonly #outputs = new Map<string, string[]>();
  #recent: string[] = [];
  #place: StepPlace | undefined;
  #failedVertex: string | undefined;
  #afterRule = false;

  /**
   * @param tell takes what is going on.
   * @param stages steps of each reachable stage, FROM included, for engines that count one stage
   * after the other.
   */
  constructor(tell: (progress: Progress) => void, stages: readonly number[] = []) {
    this.#tell = tell;
    stages.forEach((size, at) => this.#sizes.set(`stage ${at + 1}`, size));
  }

  /** Takes a line. */
  add(line: string): void {
    if (this.#buildKit(line) || this.#counted(line)) return;
    if (PULLING.test(line)) this.#tell({ phase: "pulling" });
    if (line.trim() !== "") this.#recent.push(line);
    if (this.#recent.length > KEPT) this.#recent.shift();
  }

  /** Where the build was when it failed. */
  get place(): StepPlace | undefined {
    return this.#place;
  }

  /** The last lines that the step printed; else the last of the engine's own. */
  get lastLines(): readonly string[] {
    const failed = this.#failedVertex === undefined
      ? undefined
      : this.#outputs.get(this.#failedVertex);
    return failed ?? this.#recent;
  }

  /** The last lines of all. */
  get recent(): readonly string[] {
    return this.#recent;
  }

  #buildKit(line: string): boolean {
    if (!line.startsWith("#")) {
      // "------" and then "Dockerfile:12" come before the excerpt of what failed.
      const failed = this.#afterRule ? FAILED_LINE.exec(line) : null;
      if (failed !== null) this.#place = { line: Number(failed[1]) };
      this.#afterRule = /^-{6}$/.test(line);
      return false;
    }
    const vertex = VERTEX.exec(line);
    if (vertex !== null) {
      const [, id = "", stage = "", , of = "0"] = vertex;
      this.#vertices.add(id);
      this.#sizes.set(`[${stage}]`, Number(of));
      this.#step();
      return true;
    }
    const ended = VERTEX_END.exec(line);
    if (ended !== null && this.#vertices.has(ended[1]!)) {
      this.#ended.add(ended[1]!);
      this.#step();
      return true;
    }
    const transfer = TRANSFER.exec(line);
    if (transfer !== null) {
      this.#transfer(transfer);
      return true;
    }
    const error = VERTEX_ERROR.exec(line);
    if (error !== null) this.#failedVertex = error[1]!;
    const output = VERTEX_OUTPUT.exec(line);
    if (output !== null) {
      const [, id = "", text = ""] = output;
      const lines = this.#outputs.get(id) ?? [];
      lines.push(text);
      if (lines.length > KEPT) lines.shift();
      this.#outputs.set(id, lines);
    }
    return true;
  }

  #counted(line: string): boolean {
    const step = STEP.exec(line);
    if (step !== null) {
      const [, stage = "1", at = "1", of = "1"] = step;
      this.#place = { stage: Number(stage), step: Number(at), of: Number(of) };
      this.#sizes.set(`stage ${stage}`, Number(of));
      const before = [...this.#sizes].filter(([name]) => Number(name.split(" ")[1]) < Number(stage))
        .reduce((sum, [, size]) => sum + size, 0);
      this.#count(before + Number(at) - 1);
      return true;
    }
    const classic = CLASSIC_STEP.exec(line);
    if (classic === null) return false;
    const [, at = "1", of = "1"] = classic;
    this.#place = { step: Number(at) };
    this.#recent = [];
    this.#tell({ phase: "step", done: Number(at) - 1, total: Number(of), unit: "steps" });
    return true;
  }

  #count(done: number): void {
    this.#recent = [];
    const total = [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
    this.#tell({ phase: "step", done, total, unit: "steps" });
  }

  /** BuildKit's stages are only known once they begin. */
  #step(): void {
    const total = [...this.#sizes].filter(([name]) => name.startsWith("["))
      .reduce((sum, [, size]) => sum + size, 0);
    this.#tell({ phase: "step", done: this.#ended.size, total, unit: "steps" });
  }

  #transfer(
    [, digest = "", done = "", doneUnit = "", total = "", totalUnit = ""]: RegExpExecArray,
  ) {
    this.#transfers.set(digest, {
      done: Number(done) * (UNITS[doneUnit] ?? 1),
      total: Number(total) * (UNITS[totalUnit] ?? 1),
    });
    const all = [...this.#transfers.values()];
    this.#tell({
      phase: "pulling",
      done: Math.round(all.reduce((sum, each) => sum + each.done, 0)),
      total: Math.round(all.reduce((sum, each) => sum + each.total, 0)),
      unit: "bytes",
    });
  }
}
