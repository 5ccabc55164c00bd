/** Why something would be, or was, built: the cause at a glance, and the cascade as a tree. */

import type { Reason } from "../model/result.ts";
import type { Answer, LastBuild } from "../run/why.ts";
import { errorMessage } from "./faults.ts";
import type { Palette } from "./palette.ts";
import { printable } from "./printable.ts";
import { type Branch, treeRows } from "./tree.ts";
import { describeReason, duration } from "./words.ts";

/** How an answer is written. */
export interface WhyOptions {
  readonly palette: Palette;
  /** The most reasons of one node that are listed. */
  readonly limit: number;
  /** Now, in milliseconds since 1970. */
  readonly now: number;
}

/** Renders an answer about what goes by this label. */
export function whyLines(label: string, answer: Answer, options: WhyOptions): string[] {
  const { palette } = options;
  const { verdict, causes, first, last } = answer;
  const lines = [`${palette.name(label)} ${explanation(answer)}`];
  lines.push(...drawn(branchesNow(answer, options)));
  const [cause] = first;
  if (causes.length > 0 && cause !== undefined) {
    const more = first.length > 1 ? ` (+${first.length - 1} more)` : "";
    const text = printable(describeReason(cause.reason), false);
    lines.push(`first cause: ${palette.name(cause.name)} ${palette.strong(text)}${more}`);
  }
  if (last === undefined) return lines;
  const then = verdict === "current" ? drawn(branchesThen(last, options)) : [];
  return [...lines, lastLine(last, options) + (then.length > 0 ? ":" : ""), ...then];
}

function explanation({ verdict, reasons, error }: Answer): string {
  if (error !== undefined) return "cannot be looked at:";
  switch (verdict) {
    case "current":
      return "is up to date";
    case "remote":
      return "is not here as it should be, but a registry has it:";
    case "build":
      return "must be built:";
    case "unavailable":
      return "must be built, and this machine lacks what builds it:";
    case "unknown":
      return reasons.length === 0 ? "is not known" : "hangs on what must be built first:";
  }
}

function branchesNow(answer: Answer, options: WhyOptions): Branch<string>[] {
  return [...errorBranches(answer, options), ...reasonBranches(answer, options)];
}

/** What is wrong, and what to do about it. */
function errorBranches({ name, platform, error }: Answer, { palette }: WhyOptions) {
  if (error === undefined) return [];
  const message = printable(errorMessage(error, [name, `${name}@${platform}`]), false);
  const lines = [
    palette.error(message),
    ...(error.next === undefined ? [] : [`next: ${error.next}`]),
  ];
  return lines.map((value): Branch<string> => ({ value, children: none }));
}

function reasonBranches(answer: Answer, options: WhyOptions): Branch<string>[] {
  return branches(answer.reasons, options, (need) => {
    const cause = answer.causes.find(({ name, platform }) =>
      need === name || need === `${name}@${platform}`
    );
    if (cause === undefined) return [];
    if (cause.reasons.length > 0 || cause.error !== undefined || cause.last === undefined) {
      return branchesNow(cause, options);
    }
    return branchesThen(cause.last, options);
  });
}

function branchesThen(last: LastBuild, options: WhyOptions): Branch<string>[] {
  return branches(last.reasons, options, (need) => {
    const cause = last.causes.find(({ name }) => need === name || need.startsWith(`${name}@`));
    return cause === undefined ? [] : branchesThen(cause.last, options);
  });
}

/** A branch for each reason; below a need that changed, those that changed it. */
function branches(
  reasons: readonly Reason[],
  { palette, limit }: WhyOptions,
  below: (need: string) => Branch<string>[],
): Branch<string>[] {
  const shown = reasons.slice(0, limit).map((reason) => {
    const needs = reason.kind === "need-changed" ? below(reason.path ?? "") : [];
    return { value: printable(describeReason(reason), false), children: () => needs };
  });
  if (reasons.length <= limit) return shown;
  const more = palette.dim(`and ${reasons.length - limit} more; -v shows all`);
  return [...shown, { value: more, children: none }];
}

const none = () => [];

function drawn(roots: readonly Branch<string>[]): string[] {
  // Below a heading: the first column is the heading's own.
  return treeRows([{ value: "", children: () => roots }]).slice(1).map(({ lead, value }) =>
    lead + value
  );
}

function lastLine({ at, ms, from }: LastBuild, { palette, now }: WhyOptions): string {
  const time = `${age(now - Date.parse(at))} (${at.slice(0, 19).replace("T", " ")} UTC)`;
  const what = from === undefined
    ? `last built ${time}, in ${duration(ms)}`
    : `last fetched from ${from} ${time}`;
  return palette.dim(what);
}

function age(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}
