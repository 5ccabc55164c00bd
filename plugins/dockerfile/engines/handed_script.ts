/**
 * The Dockerfile that an engine is given: the user's own lines at their own numbers, with the names
 * of everything outside the file replaced by what is in the key (bases by digest, images of the
 * graph, prepared folders), and without stages that the target does not reach.
 */

import type { Origin, Plan, PlannedStage, Step } from "../plan/stages.ts";
import type { Span } from "../syntax/place.ts";
import type { Stage } from "../syntax/script.ts";

/** What an engine calls something outside the Dockerfile. */
export type NameOf = (origin: Origin) => string;

/**
 * Writes the Dockerfile for an engine.
 *
 * @param text the user's Dockerfile.
 * @param outside names of bases, images and folders.
 */
export function handedScript(text: string, plan: Plan, outside: NameOf): string {
  return new Rewriter(text, plan, outside).run();
}

/** The name a stage has in the handed Dockerfile: its own, or one made for it. */
function stageAlias(stage: Stage): string {
  return stage.name ?? `images-stage-${stage.index}`;
}

class Rewriter {
  readonly #lines: string[];
  /** Stages that are used by their number: without the others before them it would be another. */
  readonly #nameless: ReadonlySet<number>;

  constructor(text: string, readonly plan: Plan, readonly outside: NameOf) {
    this.#lines = text.replace(/^\uFEFF/, "").split("\n");
    this.#nameless = numberedStages(plan);
  }

  run(): string {
    const planned = new Map(this.plan.stages.map((stage) => [stage.index, stage]));
    for (const stage of this.plan.script.stages) {
      const reached = planned.get(stage.index);
      if (reached === undefined) this.#blankAll(stage, true);
      else this.#stage(reached);
    }
    return this.#lines.join("\n");
  }

  #stage(planned: PlannedStage): void {
    const { stage, origin, platform } = planned;
    const { from } = stage;
    const base = origin.kind === "stage"
      ? stageAlias(this.plan.script.stages[origin.index]!)
      : origin.kind === "scratch"
      ? "scratch"
      : this.outside(origin);
    const flag = platform === undefined ? "" : `--platform=${platform} `;
    this.#blank(from);
    const alias = stage.name !== undefined || this.#nameless.has(stage.index)
      ? ` AS ${stageAlias(stage)}`
      : "";
    this.#lines[from.line - 1] = `FROM ${flag}${base}${alias}`;
    // A named context that takes the stage's place leaves it without instructions.
    if (planned.steps.length === 0) this.#blankAll(stage, false);
    for (const step of planned.steps) this.#step(step, stage);
  }

  #step({ instruction, from, mounts }: Step, stage: Stage): void {
    // Triggers of a base stage have no lines of their own.
    if (!stage.instructions.includes(instruction)) return;
    if (from !== undefined) {
      const written = instruction.options["from"]![0]!;
      this.#replace(instruction, "--from=", written, this.#nameOf(from));
    }
    for (const mount of mounts) {
      if (mount.origin === undefined) continue;
      this.#replace(instruction, "from=", mount.from!, this.#nameOf(mount.origin));
    }
  }

  #nameOf(origin: Origin): string {
    if (origin.kind === "scratch") return "scratch";
    return origin.kind === "stage"
      ? stageAlias(this.plan.script.stages[origin.index]!)
      : this.outside(origin);
  }

  /** Replaces a flag's value where it stands in an instruction's lines. */
  #replace(span: Span, prefix: string, value: string, by: string): void {
    if (value === by) return;
    for (let line = span.line; line <= span.endLine; line++) {
      const text = this.#lines[line - 1]!;
      const at = indexOfValue(text, prefix + value);
      if (at < 0) continue;
      const head = text.slice(0, at + prefix.length);
      this.#lines[line - 1] = head + by + text.slice(at + prefix.length + value.length);
      return;
    }
    throw new Error(`"${prefix}${value}" is not in line ${span.line} of the Dockerfile`);
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

/** Where a flag's part stands with nothing but a separator before and after it. */
function indexOfValue(text: string, wanted: string): number {
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const before = text[at - 1] ?? " ";
    const after = text[at + wanted.length] ?? " ";
    if (/[\s,=]/.test(before) && /[\s,]/.test(after)) return at;
  }
  return -1;
}
