/** From an engine's end to one clear error. */

import { Fault } from "../../../lib/model/errors.ts";
import type { Plan } from "../plan/stages.ts";
import type { HandedScript } from "./handed_script.ts";
import { faultAt, type Span } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";
import type { OutputWatcher, StepPlace } from "./output.ts";

/** What ends a build whatever the Dockerfile says. */
const TROUBLES: readonly {
  readonly sign: RegExp;
  readonly message: string;
  readonly next: string;
}[] = [
  {
    sign: /no space left on device|disk quota exceeded/i,
    message: "The disk is full",
    next: "free space where the engine keeps its data, e.g. with its own prune command",
  },
  {
    sign:
      /cannot connect to the docker daemon|error during connect|error reading from server|connection refused|transport is closing|code = Unavailable|unexpected EOF|broken pipe|no such host.*docker/i,
    message: "The engine stopped answering while it built",
    next: "see that it runs, then run the command again",
  },
  {
    sign: /pull access denied|unauthorized: authentication required|authentication required/i,
    message: "The engine may not pull a base",
    next: "log the engine in to the registry that holds it",
  },
];

/** How a command's status is told by the engines. */
const STATUS =
  /(?:did not complete successfully: exit code: |returned a non-zero code: |exit status |exited with code )(\d+)/;

/** An engine's own error, after its marks. */
const OWN_WORDS = /^(?:ERROR|Error|error)(?: building at STEP ".*")?: (?:failed to solve: )?(.*)$/;

/** The fault of a build that an engine ended with this status. */
export function buildFault(
  engine: string,
  code: number,
  watcher: OutputWatcher,
  plan: Plan,
  handed: HandedScript,
  log: string,
): Fault {
  const { lastLines, recent } = watcher;
  const at = spanOf(watcher.place, plan, handed);
  const why = reasonOf([...lastLines, ...recent], code);
  if (at === undefined || troubleIn(watcher) !== undefined) {
    return engineFault(engine, `${engine} failed: ${why}`, watcher, log);
  }
  const { keyword, span } = at;
  const fault = faultAt(plan.script.source, span, `${keyword} failed: ${why}`);
  return new Fault(fault.message, {
    place: fault.place!,
    excerpt: [fault.excerpt, ...indented(lastLines)].join("\n"),
    next: "correct the instruction, or what it reads",
    log,
  });
}

/** The fault of a step that has no line in the Dockerfile, or of what no Dockerfile is to blame for. */
export function engineFault(
  engine: string,
  message: string,
  watcher: OutputWatcher,
  log: string,
): Fault {
  const trouble = troubleIn(watcher);
  return new Fault(trouble === undefined ? message : `${trouble.message} (${engine})`, {
    excerpt: indented(watcher.lastLines).join("\n"),
    next: trouble?.next ?? "see its output",
    log,
  });
}

function troubleIn({ recent, lastLines }: OutputWatcher) {
  const lines = [...recent, ...lastLines];
  return TROUBLES.find(({ sign }) => lines.some((line) => sign.test(line)));
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `    ${line}`);
}

function reasonOf(lines: readonly string[], code: number): string {
  for (const line of lines.toReversed()) {
    const status = STATUS.exec(line);
    if (status !== null) return `it ended with status ${status[1]}`;
  }
  for (const line of lines.toReversed()) {
    const own = OWN_WORDS.exec(line);
    if (own !== null) return own[1]!;
  }
  return code > 128 ? `the engine was ended by signal ${code - 128}` : `status ${code}`;
}

/** The instruction that a place names; of several engines it is only the count of a step. */
function spanOf(
  place: StepPlace | undefined,
  plan: Plan,
  handed: HandedScript,
): { keyword: string; span: Span } | undefined {
  if (place === undefined) return undefined;
  if ("line" in place) return atLine(handed.lineOf(place.line), plan);
  const found = "stage" in place ? inStage(place, plan, handed) : inAll(place.step, plan, handed);
  return found && { keyword: found.keyword, span: found };
}

function atLine(line: number, plan: Plan): { keyword: string; span: Span } {
  const all = plan.script.stages.flatMap((stage) => [stage.from, ...stage.instructions]);
  const found = all.find((each) => each.line <= line && line <= each.endLine);
  return { keyword: found?.keyword ?? "The build", span: found ?? { line, endLine: line } };
}

/** Triggers that a base image left are counted first, and are not in the file. */
function inStage(
  place: { readonly stage: number; readonly step: number; readonly of: number },
  plan: Plan,
  handed: HandedScript,
): Instruction | undefined {
  const planned = plan.stages[place.stage - 1];
  if (planned === undefined) return undefined;
  const steps = handed.stages[place.stage - 1]!;
  const triggers = place.of - 1 - steps.length;
  return steps[place.step - 2 - triggers] ?? planned.stage.from;
}

/** Without triggers, which docker carries out with FROM. */
function inAll(step: number, plan: Plan, handed: HandedScript): Instruction | undefined {
  const all = [
    ...plan.script.globals,
    ...plan.stages.flatMap(({ stage }, at) => [
      stage.from,
      ...handed.stages[at]!.filter((each) =>
        each === undefined || stage.instructions.includes(each)
      ),
    ]),
  ];
  return all[step - 1];
}
