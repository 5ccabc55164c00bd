/** How a status looks: a colour by its meaning, and a mark for those who do not see colours. */

import type { ImageResult, TaskResult } from "../../model/result.ts";
import { type Html, markup } from "./html.ts";

/** Meanings that have a colour; the style sheet has a class for each. */
export type Tone = "done" | "kept" | "fetched" | "failed" | "skipped" | "missing";

const TONES: Readonly<Record<string, Tone>> = {
  built: "done",
  pushed: "done",
  copied: "done",
  retagged: "done",
  cached: "kept",
  current: "kept",
  remote: "fetched",
  failed: "failed",
  skipped: "skipped",
  unavailable: "missing",
};

const MARKS: Record<Tone, string> = {
  done: "✓",
  kept: "=",
  fetched: "↓",
  failed: "✗",
  skipped: "-",
  missing: "!",
};

/** The tones in the order they are told in. */
export const TONE_ORDER: readonly Tone[] = [
  "failed",
  "done",
  "fetched",
  "kept",
  "missing",
  "skipped",
];

/** A word's tone. */
export function toneOf(word: string): Tone {
  return TONES[word] ?? "skipped";
}

/** A node's status in one word. */
export function statusOf({ status, verdict }: ImageResult | TaskResult): string {
  return status ?? verdict ?? "skipped";
}

/** A status as a small coloured label. */
export function chip(word: string): Html {
  const tone = toneOf(word);
  return markup`<span class="chip ${tone}"><span aria-hidden="true">${
    MARKS[tone]
  }</span> ${word}</span>`;
}

/** The mark of a tone. */
export function markOf(tone: Tone): string {
  return MARKS[tone];
}
