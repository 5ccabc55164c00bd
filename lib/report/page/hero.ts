/** The head of the page: what became of the run, in one look. */

import { countText, duration } from "../words.ts";
import type { PageData, PageNode } from "./data.ts";
import { type Html, markup } from "./html.ts";
import { markOf, statusOf, type Tone, TONE_ORDER, toneOf } from "./tone.ts";

/** What was run when, how it ended, and how long it took. */
export function hero(data: PageData): Html {
  const { record } = data;
  // An index is no work of its own: its platforms are.
  const counts = countsOf(data.nodes.filter(({ type }) => type !== "index"));
  return markup`<section class="hero" aria-labelledby="outcome">
<p class="kicker"><code>images ${record.document.command}</code> in <b>${data.project}</b>, ${
    time(record.at)
  }</p>
<h1 id="outcome">${headline(data)}<small> in ${duration(record.document.ms)}</small></h1>
${meter(counts)}
<dl class="facts">${facts(data)}</dl>
</section>`;
}

function time(at: number): Html {
  const date = new Date(at);
  const text = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" });
  return markup`<time datetime="${date.toISOString()}">${text.format(date)}</time>`;
}

/** The most telling numbers as a sentence. */
function headline({ nodes, record }: PageData): Html {
  const count = (word: string, among = ["image", "task"]) =>
    nodes.filter(({ type, result }) => among.includes(type) && statusOf(result) === word).length;
  const destinations = record.document.images.flatMap(({ destinations = [] }) => destinations);
  const published = destinations.filter(({ status }) => toneOf(status) === "done").length;
  const refused = destinations.filter(({ status }) => status === "failed").length;
  const sad = texts([[count("failed"), "failed"], [refused, "not published"]]);
  if (record.status === 130) sad.unshift("Interrupted");
  const done = texts([
    [count("built", ["image"]), "built"],
    [count("built", ["task"]), count("built", ["task"]) === 1 ? "task run" : "tasks run"],
    [published, published === 1 ? "tag written" : "tags written"],
    [count("remote"), "found in the registry"],
  ]);
  if (sad.length + done.length === 0) done.push("Everything is up to date");
  return markup`${sad.length > 0 && markup`<b class="failed">${sad.join(", ")}</b>`}${
    sad.length > 0 && done.length > 0 && ", "
  }${done.join(", ")}`;
}

function texts(counts: readonly (readonly [number, string])[]): string[] {
  return counts.filter(([count]) => count > 0).map(([count, what]) =>
    `${count.toLocaleString("en")} ${what}`
  );
}

function countsOf(nodes: readonly PageNode[]): Map<Tone, { count: number; words: Set<string> }> {
  const counts = new Map<Tone, { count: number; words: Set<string> }>();
  for (const { result } of nodes) {
    const word = statusOf(result);
    const known = counts.get(toneOf(word)) ?? { count: 0, words: new Set() };
    counts.set(toneOf(word), { count: known.count + 1, words: known.words.add(word) });
  }
  return counts;
}

/** All nodes as one bar, each tone as wide as its share. */
function meter(counts: ReturnType<typeof countsOf>): Html {
  const there = TONE_ORDER.flatMap((tone) => {
    const known = counts.get(tone);
    return known === undefined ? [] : [{ tone, ...known, label: [...known.words].join(", ") }];
  });
  return markup`<div class="meter" aria-hidden="true">${
    there.map(({ tone, count }) => markup`<span class="${tone}" style="flex-grow:${count}"></span>`)
  }</div>
<ul class="legend">${there.map(legend)}</ul>`;
}

function legend({ tone, count, label }: { tone: Tone; count: number; label: string }): Html {
  return markup`<li class="${tone}"><span aria-hidden="true">${markOf(tone)}</span> <b>${
    count.toLocaleString("en")
  }</b> ${label}</li>`;
}

function facts({ nodes, record }: PageData): Html[] {
  const work = record.spans.reduce((sum, { from, to }) => sum + to - from, 0);
  const { ms } = record.document;
  const path = record.criticalPath;
  const waited = path.reduce((sum, step) => sum + step.ms, 0);
  return [
    fact("work done", duration(work), `${(work / Math.max(1, ms)).toFixed(1)} at once on average`),
    ...path.length < 2
      ? []
      : [fact("critical path", duration(waited), path.map(({ id }) => id).join(" → "))],
    ...record.saved > 0
      ? [fact("saved by the cache", duration(record.saved), "what was not built again")]
      : [],
    fact("in the graph", countText(nodes.length, "node"), kinds(nodes)),
  ];
}

function fact(name: string, value: string, detail: string): Html {
  return markup`<div><dt>${name}</dt><dd><b>${value}</b><span>${detail}</span></dd></div>`;
}

function kinds(nodes: readonly PageNode[]): string {
  const count = (type: PageNode["type"]) => nodes.filter((node) => node.type === type).length;
  const parts = (["image", "index", "task"] as const).map((type) => [count(type), type] as const);
  return parts.filter(([number]) => number > 0)
    .map(([number, type]) => countText(number, type, type === "index" ? "indexes" : undefined))
    .join(", ");
}
