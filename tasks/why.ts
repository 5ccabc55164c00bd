/** `images why`: why a target would be, or was, rebuilt; with the cascade down to the first cause. */

import { usageFault } from "../lib/model/errors.ts";
import type { ImageResult, Reason, TaskResult } from "../lib/model/result.ts";
import { describeReason } from "../lib/report/words.ts";
import type { ImageRecord, TaskRecord } from "../lib/store/records.ts";
import { Records } from "../lib/store/records.ts";
import { State } from "../lib/store/state.ts";
import { type CommonOptions, outputPalette } from "./options.ts";
import { type FinishedRun, printJson, settle } from "./run.ts";

/** One node's answer, with those of the needs that are part of the cause. */
interface Answer {
  readonly name: string;
  readonly platform?: string;
  /** What would be done now. */
  readonly verdict: string;
  /** Why it would be built now. */
  readonly reasons: readonly Reason[];
  /** Why it was built last, and when (RFC 3339). */
  readonly last?: { readonly at: string; readonly reasons: readonly Reason[] };
  readonly causes: readonly Answer[];
}

/** Prints why; answers with the exit status. */
export async function why(options: CommonOptions, target: string): Promise<number> {
  const run = await settle(options, {
    progressOnly: true,
    command: "why",
    mode: "plan",
    targets: [target],
    all: false,
  });
  const results = [...run.document.images, ...run.document.tasks];
  const records = new Records(State.of(run.project.root));
  const wanted = results.filter((each) =>
    each.name === target || `${each.name}@${"platform" in each ? each.platform : ""}` === target
  );
  if (wanted.length === 0) {
    throw usageFault(`"${target}" stands for no single image or task`, {
      next: "name one image or task, as `images list` shows it",
    });
  }
  const answers = wanted.filter((each) => !("platform" in each) || each.platform !== "index")
    .map((each) => answerFor(each, results, records, new Set()));
  if (options.json) printJson(options, documentOf(run, answers));
  else answers.forEach((answer) => print(answer, options));
  return run.status;
}

function documentOf(run: FinishedRun, answers: readonly Answer[]) {
  return { ...run.document, why: answers };
}

function answerFor(
  result: ImageResult | TaskResult,
  all: readonly (ImageResult | TaskResult)[],
  records: Records,
  seen: Set<string>,
): Answer {
  const platform = "platform" in result ? result.platform : undefined;
  const record = platform === undefined
    ? records.task(result.name)
    : records.image(result.name, platform);
  const verdict = result.verdict ?? result.status ?? "unknown";
  const last = record === undefined ? {} : { last: lastOf(record) };
  seen.add(idOf(result));
  const causes = result.reasons.filter((reason) => reason.kind === "need-changed")
    .flatMap(({ path }) => all.filter((each) => idOf(each) === path || each.name === path))
    .filter((each) => !seen.has(idOf(each)) && (!("platform" in each) || each.platform !== "index"))
    .filter((each) => platform === undefined || !("platform" in each) || each.platform === platform)
    .map((each) => answerFor(each, all, records, seen));
  const where = platform === undefined ? {} : { platform };
  return { name: result.name, ...where, verdict, reasons: result.reasons, ...last, causes };
}

function lastOf(record: ImageRecord | TaskRecord): NonNullable<Answer["last"]> {
  return { at: new Date(record.at).toISOString(), reasons: record.reasons };
}

function idOf(result: ImageResult | TaskResult): string {
  return "platform" in result ? `${result.name}@${result.platform}` : result.name;
}

function print(answer: Answer, options: CommonOptions): void {
  const palette = outputPalette(options);
  const lines: string[] = [];
  const visit = (each: Answer, indent: string): void => {
    const name = each.platform === undefined ? each.name : `${each.name} (${each.platform})`;
    lines.push(`${indent}${palette.strong(name)}: ${explain(each)}`);
    for (const reason of each.reasons) lines.push(`${indent}  ${describeReason(reason)}`);
    for (const cause of each.causes) visit(cause, `${indent}  `);
  };
  visit(answer, "");
  if (answer.last !== undefined) {
    lines.push(palette.dim(`last built ${answer.last.at}, because:`));
    for (const reason of answer.last.reasons) {
      lines.push(palette.dim(`  ${describeReason(reason)}`));
    }
  }
  lines.forEach((line) => console.log(line));
}

function explain({ verdict }: Answer): string {
  switch (verdict) {
    case "current":
      return "up to date; nothing it is made of has changed";
    case "remote":
      return "not here, but the registry has it";
    case "build":
      return "must be built";
    case "unavailable":
      return "must be built, and its tool is missing";
    default:
      return "not known until what it needs is built";
  }
}
