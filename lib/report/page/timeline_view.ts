/** What ran beside what: a bar for each time in which a node was worked at. */

import { countText, duration } from "../words.ts";
import { criticalIds, type PageData, type PageNode, workOf } from "./data.ts";
import type { Span } from "../last_run.ts";
import { type Html, markup } from "./html.ts";
import { statusOf, toneOf } from "./tone.ts";

/** The most rows: of more nobody would see what is beside what. */
const MOST = 60;

/** How many marks the time axis has at most. */
const TICKS = 6;

/** Shares of the axis, in percent: a bar this wide has room for its text, so much is needed beside. */
const WIDE = 16, ROOM = 14;

/** The section; nothing where nothing was worked at. */
export function timelineView(data: PageData): Html | undefined {
  const { record } = data;
  const worked = data.nodes.filter(({ spans }) => spans.length > 0)
    .sort((a, b) => workOf(b) - workOf(a));
  const rows = worked.slice(0, MOST)
    .sort((a, b) => a.spans[0]!.from - b.spans[0]!.from);
  if (rows.length === 0) return undefined;
  const end = Math.max(record.document.ms, ...record.spans.map(({ to }) => to), 1);
  const critical = criticalIds(record);
  const ticks = ticksOf(end);
  return markup`<section id="timeline" aria-labelledby="timeline-title">
<h2 id="timeline-title">Timeline</h2>
<p class="lead">What ran beside what.${
    worked.length > MOST && ` Of ${countText(worked.length, "node")} the ${MOST} that took longest.`
  }${
    critical.size > 0 && markup` <span class="key critical"></span> The run had to wait for these.`
  }${
    record.spans.some(({ phase }) => phase === "publishing") &&
    markup` <span class="key publishing"></span> Publishing.`
  }</p>
<div class="timeline">
<div class="axis" aria-hidden="true"><span class="ticks">${
    ticks.map((at) =>
      markup`<i style="--at:${percent(at, end)}">${at === 0 ? "0" : duration(at)}</i>`
    )
  }</span></div>
${concurrency(record.spans, end)}
<ol class="rows">${rows.map((node) => row(node, end, ticks, critical.has(node.id)))}</ol>
</div>
</section>`;
}

function row(
  { id, anchor, spans, result }: PageNode,
  end: number,
  ticks: readonly number[],
  critical: boolean,
): Html {
  const grid = ticks.map((at) => markup`<i style="--at:${percent(at, end)}"></i>`);
  return markup`<li data-node="${id}" class="${critical && "critical"}">
<a href="#${anchor}">${id}</a>
<span class="track"><span class="grid" aria-hidden="true">${grid}</span>${
    spans.map((span, at) => bar(span, placeOf(spans, at, end), end, statusOf(result)))
  }</span>
</li>
`;
}

/** Where a bar's text has room: in it, after it, before it, or nowhere. */
function placeOf(spans: readonly Span[], at: number, end: number): string {
  const { from, to } = spans[at]!;
  const share = (ms: number) => 100 * ms / end;
  if (share(to - from) > WIDE) return "in";
  if (share((spans[at + 1]?.from ?? end) - to) > ROOM) return "after";
  const before = spans[at - 1];
  // The text of the one before may stand in the same gap.
  const needed = before === undefined ? ROOM : 2 * ROOM;
  return share(from - (before?.to ?? 0)) > needed ? "before" : "nowhere";
}

function bar({ phase, from, to }: Span, place: string, end: number, status: string): Html {
  const look = PHASES[phase] ?? toneOf(status);
  const position = `--from:${percent(from, end)};--width:${percent(to - from, end)}`;
  const title = `${phase}, ${duration(from)} to ${duration(to)}`;
  return markup`<span class="bar ${look} ${place}" style="${position}" title="${title}"><span class="unseen">${phase} </span><span class="time">${
    duration(to - from)
  }</span></span>`;
}

/** How the phases look that say nothing about a node's status. */
const PHASES: Readonly<Record<string, string>> = { publishing: "publishing", restoring: "kept" };

/** How many were worked at when, as steps. */
function concurrency(spans: readonly Span[], end: number): Html {
  const changes = spans.flatMap(({ from, to }) => [[from, 1], [to, -1]] as const)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const points: [number, number][] = [];
  let now = 0;
  let most = 1;
  for (const [at, step] of changes) {
    points.push([at, now], [at, now + step]);
    now += step;
    most = Math.max(most, now);
  }
  const path = points.map(([at, count]) =>
    `${(at / end * 1000).toFixed(1)},${(40 - count / most * 38).toFixed(1)}`
  );
  const polygon = ["0,40", ...path, "1000,40"].join(" ");
  return markup`<div class="concurrency"><span>${most} at once</span><svg viewBox="0 0 1000 40" preserveAspectRatio="none" role="img" aria-label="At most ${most} at once"><polygon points="${polygon}"/></svg></div>`;
}

/** Steps of a time axis, in milliseconds. */
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 360, 1440].map((minutes) => minutes * 60_000),
];

/** Round times, evenly spread; none so late that its text would not fit. */
function ticksOf(end: number): number[] {
  const step = STEPS.find((each) => end / each <= TICKS) ?? end;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => at * step)
    .filter((at) => at < end * 0.95);
}

function percent(part: number, whole: number): string {
  return (100 * part / whole).toFixed(2);
}
