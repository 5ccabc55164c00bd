/** `images prune`: makes the state smaller, and never takes what a current record needs. */

import { usageFault } from "../lib/model/errors.ts";
import { inColumns } from "../lib/report/columns.ts";
import { size } from "../lib/report/words.ts";
import { bytesOf } from "../lib/model/size.ts";
import { Layout } from "../lib/store/layout.ts";
import {
  type Declared,
  planPrune,
  prune as remove,
  type PrunePlan,
  type PruneRules,
  type Removal,
} from "../lib/store/prune.ts";
import { exists, State } from "../lib/store/state.ts";
import { survey } from "../lib/store/survey.ts";
import { type CommonOptions, outputPalette } from "./options.ts";
import { alone, openProject, printJson } from "./run.ts";
import { print } from "./print.ts";

/** Options of `prune`. */
export interface PruneOptions extends CommonOptions {
  readonly olderThan?: string;
  readonly maxSize?: string;
  readonly keep?: number;
  readonly dryRun?: boolean | undefined;
}

/** Removes what goes by the options; answers with the exit status. */
export async function prune(options: PruneOptions): Promise<number> {
  const rules = rulesOf(options);
  const project = await openProject(options);
  const declared = {
    images: new Set(project.images.keys()),
    tasks: new Set(project.tasks.keys()),
  };
  const state = State.of(project.root);
  const now = Date.now();
  if (!exists(state.folder)) {
    tell(options, { removals: [], left: 0 }, now);
    return 0;
  }
  const plan = options.dryRun
    ? planOf(state, declared, rules, now)
    : await alone(state, async () => {
      const plan = planOf(state, declared, rules, now);
      await remove(new Layout(state), plan);
      return plan;
    });
  tell(options, plan, now);
  return 0;
}

function planOf(state: State, declared: Declared, rules: PruneRules, now: number): PrunePlan {
  return planPrune(survey(state, new Layout(state), now), declared, rules, now);
}

function rulesOf({ olderThan, maxSize, keep, force }: PruneOptions): PruneRules {
  if (keep !== undefined && keep < 0) {
    throw usageFault(`Cannot keep ${keep} results`, { next: "give --keep at least 0" });
  }
  if (force && olderThan === undefined && maxSize === undefined) {
    throw usageFault("Pruning by force without a rule would remove everything", {
      next: "add --older-than or --max-size, or run `images clean`",
    });
  }
  return {
    ...(olderThan === undefined ? {} : { olderThan: millisecondsOf(olderThan) }),
    ...(maxSize === undefined ? {} : { maxSize: sizeOf(maxSize) }),
    ...(keep === undefined ? {} : { keep }),
    current: force ?? false,
  };
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

function millisecondsOf(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  if (number === undefined || unit === undefined) {
    throw usageFault(`Cannot read --older-than "${text}"`, {
      next: 'write it as "14d", "12h" or "2w"',
    });
  }
  return Number(number) * UNITS[unit]! * 1000;
}

function sizeOf(text: string): number {
  try {
    return bytesOf(text);
  } catch (cause) {
    throw usageFault(`Cannot read --max-size "${text}"`, {
      next: 'write it as "10GB" or "512MiB"',
      cause,
    });
  }
}

/** A plan is text that was asked for; what was done is told. */
function tell(options: PruneOptions, { removals, left }: PrunePlan, now: number): void {
  const files = removals.flatMap((removal) => removal.files);
  const bytes = removals.reduce((sum, removal) => sum + removal.bytes, 0);
  if (options.json) {
    printJson(options, {
      schema: 1,
      command: "prune",
      ok: true,
      dryRun: options.dryRun ?? false,
      removed: removals.flatMap(({ why, files }) =>
        files.map(({ kind, name, bytes, at }) => ({ kind, name, bytes, at, why }))
      ),
      bytes,
      left,
    });
    return;
  }
  if (options.dryRun) {
    const { dim } = outputPalette(options);
    const rows = removals.map((each) => {
      const [what = "", ...notes] = describe(each, now);
      return [what, size(each.bytes), dim(notes.join(", "))];
    });
    for (const line of inColumns(rows, [1])) print(line);
  }
  if (options.quiet) return;
  const counted = `${files.length} ${files.length === 1 ? "file" : "files"}, ${size(bytes)}`;
  console.error(
    files.length === 0
      ? `nothing to prune; ${size(left)} are in use`
      : options.dryRun
      ? `would remove ${counted}; ${size(left)} would be left`
      : `removed ${counted}; ${size(left)} are left`,
  );
}

const REASONS = {
  earlier: "an earlier result",
  undeclared: "not in images.ts",
  current: "current, but --force",
};

function describe({ why, owner, files, at }: Removal, now: number): string[] {
  const age = ageText(now - at);
  if (owner === undefined) {
    const [{ kind, name }] = files as [Removal["files"][number]];
    const short = name.replace(/([0-9a-f]{12})[0-9a-f]{52}/, "$1…");
    return [short.startsWith(`${kind}`) ? short : `${kind} ${short}`, age];
  }
  const reason = REASONS[why as keyof typeof REASONS];
  return [`${owner.type} ${owner.name}`, age, reason, `${files.length} files`];
}

/** `just now`, `12 min old`, `5 h old`, `16 days old`. */
function ageText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min old`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h old` : `${Math.floor(hours / 24)} days old`;
}
