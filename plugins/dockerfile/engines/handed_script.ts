/**
 * The Dockerfile that an engine is given: the user's own lines at their own numbers, with the names
 * of everything outside the file replaced by what is in the key (bases by digest, images of the
 * graph, prepared folders), and without stages that the target does not reach.
 */

import { csvFields } from "../plan/mounts.ts";
import type { Origin, Plan, PlannedStage, Step } from "../plan/stages.ts";
import type { Span } from "../syntax/place.ts";
import type { Instruction, Stage } from "../syntax/script.ts";
import { joinLines, type Piece, splitKeyword, textOf } from "../syntax/statements.ts";
import { splitFlags } from "../syntax/words.ts";
import type { StepDigests } from "./step_digests.ts";

/** What an engine calls something outside the Dockerfile. */
export type NameOf = (origin: Origin) => string;

/** What is handed over beside the user's own lines. */
export interface Additions {
  /** Values of {@link STEP_LABEL}, each in front of its instruction. */
  readonly digests?: StepDigests;
  /** Index of a stage → name of the image that takes its place. */
  readonly replaced?: ReadonlyMap<number, string>;
  /** What stands in the place of instructions whose files are handed over. */
  readonly copies?: ReadonlyMap<Instruction, HandedCopy>;
}

/** What stands in the place of an ADD or COPY. */
export interface HandedCopy {
  /** Name of the named context that holds the files. */
  readonly from: string;
  /** Paths in it, in the order of the sources; patterns that match one name. None copies nothing. */
  readonly paths: readonly string[];
  /** Names of the flags that it keeps. */
  readonly flags: readonly string[];
  /** The destination is a folder, whether or not it is written as one. */
  readonly intoFolder?: boolean;
}

/** Label whose value stands for what the engine's cache does not know; results do not have it. */
export const STEP_LABEL = "dev.images.step";

/** A Dockerfile for an engine. */
export interface HandedScript {
  readonly text: string;
  /** The instructions behind FROM of each planned stage; undefined is a label of our own. */
  readonly stages: readonly (readonly (Instruction | undefined)[])[];
  /** The line of the user's Dockerfile that a line of the text stands for; both from 1. */
  lineOf(line: number): number;
}

/**
 * Writes the Dockerfile for an engine.
 *
 * @param text the user's Dockerfile.
 * @param outside names of bases, images and folders.
 */
export function handedScript(
  text: string,
  plan: Plan,
  outside: NameOf,
  additions: Additions = {},
): HandedScript {
  return new Rewriter(text, plan, outside, additions).run();
}

/** The name a stage has in the handed Dockerfile: its own, or one made for it. */
function stageAlias(stage: Stage): string {
  return stage.name ?? `images-stage-${stage.index}`;
}

class Rewriter {
  readonly #lines: string[];
  /** Stages that are used by their number: without the others before them it would be another. */
  readonly #nameless: ReadonlySet<number>;
  readonly #digests: StepDigests;
  readonly #replaced: ReadonlyMap<number, string>;
  readonly #copies: ReadonlyMap<Instruction, HandedCopy>;

  constructor(
    text: string,
    readonly plan: Plan,
    readonly outside: NameOf,
    { digests = new Map(), replaced = new Map(), copies = new Map() }: Additions,
  ) {
    this.#digests = digests;
    this.#replaced = replaced;
    this.#copies = copies;
    this.#lines = text.replace(/^\uFEFF/, "").split("\n");
    this.#nameless = numberedStages(plan);
  }

  run(): HandedScript {
    const planned = new Map(this.plan.stages.map((stage) => [stage.index, stage]));
    for (const stage of this.plan.script.stages) {
      const reached = planned.get(stage.index);
      if (reached === undefined) this.#blankAll(stage, true);
      else this.#stage(reached);
    }
    const labels = this.#labels();
    const origins: number[] = [];
    const text = this.#lines.flatMap((written, at) => {
      const digest = labels.get(at + 1);
      const lines = digest === undefined ? [written] : [`LABEL ${STEP_LABEL}=${digest}`, written];
      origins.push(...lines.map(() => at + 1));
      return lines;
    }).join("\n");
    return {
      text,
      stages: this.plan.stages.map((stage) => this.#handedSteps(stage)),
      lineOf: (line) => origins[line - 1] ?? line,
    };
  }

  /** Line → digest that stands in front of it. */
  #labels(): Map<number, string> {
    const labels = new Map<number, string>();
    for (const { steps } of this.plan.stages) {
      for (const { instruction } of steps) {
        const digest = this.#digests.get(instruction);
        if (digest !== undefined) labels.set(instruction.line, digest);
      }
    }
    return labels;
  }

  #handedSteps({ steps }: PlannedStage): (Instruction | undefined)[] {
    return steps.flatMap(({ instruction }) =>
      this.#digests.has(instruction) ? [undefined, instruction] : [instruction]
    );
  }

  #stage(planned: PlannedStage): void {
    const { stage, origin, platform } = planned;
    const { from } = stage;
    const base = this.#replaced.get(stage.index) ?? this.#nameOf(origin);
    const flag = platform === undefined ? "" : `--platform=${platform} `;
    this.#blank(from);
    const alias = stage.name !== undefined || this.#nameless.has(stage.index)
      ? ` AS ${stageAlias(stage)}`
      : "";
    this.#lines[from.line - 1] = `FROM ${flag}${base}${alias}`;
    // A named context or image that takes the stage's place leaves it without instructions.
    if (planned.steps.length === 0) this.#blankAll(stage, false);
    for (const step of planned.steps) this.#step(step, stage);
  }

  #step({ instruction, from, mounts }: Step, stage: Stage): void {
    // Triggers of a base stage have no lines of their own.
    if (!stage.instructions.includes(instruction)) return;
    const copy = this.#copies.get(instruction);
    if (copy !== undefined) return this.#copy(instruction, copy);
    const names = new Map<string, string>();
    if (from !== undefined) names.set(instruction.options["from"]![0]!, this.#nameOf(from));
    for (const { from: written, origin } of mounts) {
      if (origin !== undefined) names.set(written!, this.#nameOf(origin));
    }
    if (names.size > 0) this.#rename(instruction, names);
  }

  /** Files that are handed over are copied from where they lie. */
  #copy(instruction: Instruction, { from, paths, flags: kept, intoFolder }: HandedCopy): void {
    const { options, args, json } = instruction;
    const flags = kept.flatMap((name) =>
      (options[name] ?? []).map((value) => `--${name}=${value}`)
    );
    const to = args.at(-1)!;
    const words = [...paths, intoFolder && !to.endsWith("/") ? `${to}/` : to];
    this.#blank(instruction);
    if (paths.length === 0) {
      this.#lines[instruction.line - 1] = `LABEL ${STEP_LABEL}=none`;
      return;
    }
    this.#lines[instruction.line - 1] = [
      "COPY",
      ...[`--from=${from}`, ...flags].map(escaped),
      ...(json ? [JSON.stringify(words)] : words),
    ].join(" ");
  }

  #nameOf(origin: Origin): string {
    if (origin.kind === "scratch") return "scratch";
    return origin.kind === "stage"
      ? stageAlias(this.plan.script.stages[origin.index]!)
      : this.outside(origin);
  }

  /** Replaces names in an instruction's flags, however these are quoted and cut into lines. */
  #rename({ line }: Span, names: ReadonlyMap<string, string>): void {
    const { escape } = this.plan.script;
    const { pieces } = joinLines(this.#lines, line - 1, escape);
    const text = textOf(pieces);
    const { after } = splitKeyword(text);
    const offset = text.length - after.length;
    // The last first: what is in front stays where it is.
    for (const flag of splitFlags(after, escape).flags.toReversed()) {
      const renamed = renamedFlag(flag.text, names);
      if (renamed === flag.text) continue;
      this.#write(pieces, offset + flag.start, offset + flag.end, escaped(renamed));
    }
  }

  /** Replaces a stretch of an instruction's text; what lines it takes are left where they are. */
  #write(pieces: readonly Piece[], start: number, end: number, by: string): void {
    let at = 0;
    let rest = by;
    for (const { line, column, text } of pieces) {
      const from = Math.max(start - at, 0);
      const to = Math.min(end - at, text.length);
      at += text.length;
      if (from >= to) continue;
      const written = this.#lines[line]!;
      this.#lines[line] = written.slice(0, column + from) + rest + written.slice(column + to);
      rest = "";
    }
  }

  #blankAll(stage: Stage, withFrom: boolean): void {
    if (withFrom) this.#blank(stage.from);
    for (const instruction of stage.instructions) this.#blank(instruction);
  }

  #blank({ line, endLine }: Span): void {
    for (let at = line; at <= endLine; at++) this.#lines[at - 1] = "";
  }
}

function numberedStages(plan: Plan): Set<number> {
  const used = plan.stages.flatMap(({ steps }) =>
    steps.flatMap(({ from, mounts }) => [from, ...mounts.map((mount) => mount.origin)])
  );
  return new Set(used.flatMap((origin) => origin?.kind === "stage" ? [origin.index] : []));
}

/** A `--from`, or the `from` of a `--mount`, with another name. */
function renamedFlag(flag: string, names: ReadonlyMap<string, string>): string {
  const [, name = "", value = ""] = /^--([^=]*)=([^]*)$/.exec(flag) ?? [];
  if (name === "from") return `--from=${names.get(value) ?? value}`;
  if (name !== "mount") return flag;
  const fields = csvFields(value);
  const at = fields.findIndex((field) => /^from=/i.test(field));
  const known = names.get(fields[at]?.slice("from=".length) ?? "");
  if (known === undefined) return flag;
  return `--mount=${fields.with(at, `from=${known}`).map(csvField).join(",")}`;
}

function csvField(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A flag's text as it is written: engines end it at a space, and take quotes out of it. */
function escaped(flag: string): string {
  return flag.replace(/[\s"'\\]/g, "\\$&");
}
