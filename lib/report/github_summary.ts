/** A run as Markdown, for the summary of a job. */

import type { ImageResult, ResultDocument, TaskResult } from "../model/result.ts";
import { duration, labelsOf, reasonText } from "./words.ts";

/** The most rows of the table: a step's summary may have 1 MiB. */
const ROWS = 500;

/** What was worked at comes before what was up to date. */
const ORDER = ["failed", "unavailable", "skipped", "built", "remote", "cached"];

/** The table of everything that took part, and the closing lines. */
export function stepSummary(document: ResultDocument, closing: readonly string[]): string {
  const results = [
    ...document.images.filter((each) => each.platform !== "index"),
    ...document.tasks.filter((each) => each.status !== "skipped"),
  ];
  const rank = ({ status }: ImageResult | TaskResult) => ORDER.indexOf(status ?? "");
  const rows = [...results].sort((a, b) => rank(a) - rank(b)).slice(0, ROWS);
  const more = results.length - rows.length;
  const labelOf = labelsOf(document.images);
  return [
    `### ${document.ok ? "✅" : "❌"} \`images ${document.command}\``,
    "",
    "| image | status | time | why | tag |",
    "| --- | --- | ---: | --- | --- |",
    ...rows.map((each) => row(each, labelOf(each))),
    ...(more > 0 ? ["", `and ${more} more`] : []),
    "",
    ...closing.map((line) => `${cell(line)}<br>`),
    "",
    "",
  ].join("\n");
}

function row(result: ImageResult | TaskResult, label: string): string {
  const why = result.error?.message ?? reasonText(result.reasons);
  const tag = "tag" in result && result.tag !== undefined ? `\`${result.tag}\`` : "";
  const cells = [label, result.status ?? "", duration(result.ms), why];
  return `| ${cells.map(cell).join(" | ")} | ${tag} |`;
}

/** Text that stays text, and in its cell. */
function cell(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|~#&]/g, (character) => `\\${character}`)
    .replaceAll(/\s+/g, " ");
}
