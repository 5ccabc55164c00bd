/** Every node in full: status, reasons, identities, destinations, layers, log. */

import type { DestinationResult, ErrorResult, ImageResult } from "../../model/result.ts";
import { countText, describeReason, duration, size } from "../words.ts";
import { type PageData, type PageLog, type PageNode, workOf } from "./data.ts";
import { type Html, markup } from "./html.ts";
import { logView } from "./log_view.ts";
import { chip, statusOf, toneOf } from "./tone.ts";

/** How many reasons are shown before the rest is folded away. */
const REASONS = 12;

/** How many lines of a log are shown with a failure. */
const TAIL = 12;

/** The failures, before anything else; nothing where there are none. */
export function failuresView({ nodes }: PageData): Html | undefined {
  const failed = nodes.filter(({ result }) => toneOf(statusOf(result)) === "failed");
  if (failed.length === 0) return undefined;
  return markup`<section id="failures" aria-labelledby="failures-title">
<h2 id="failures-title">What failed</h2>
${failed.map(failure)}
</section>`;
}

function failure(node: PageNode): Html {
  const { id, anchor, result, log } = node;
  return markup`<article class="failure">
<h3><a href="#${anchor}">${id}</a></h3>
${result.error && errorView(result.error, node)}
${log && logView(tailOf(log), id)}
</article>`;
}

/** The end of a log, where what went wrong usually is. */
function tailOf({ lines, dropped, path }: PageLog): PageLog {
  const before = Math.max(0, lines.length - TAIL);
  return { lines: lines.slice(before), dropped: dropped + before, path };
}

/** The section of all nodes. */
export function imagesView({ nodes }: PageData): Html {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return markup`<section id="nodes" aria-labelledby="nodes-title">
<h2 id="nodes-title">Images and tasks</h2>
<p class="lead">Each with its verdict and the reasons for it. <span id="found" role="status"></span></p>
${nodes.map((node) => card(node, byId))}
</section>`;
}

function card(node: PageNode, byId: ReadonlyMap<string, PageNode>): Html {
  const { id, anchor, result, log } = node;
  const work = workOf(node);
  return markup`<details class="card" id="${anchor}" data-node="${id}">
<summary>
${chip(statusOf(result))}
<span class="name">${id}</span>
<span class="plugin">${kindOf(node)}</span>
<span class="why">${firstReason(node)}</span>
<span class="ms">${work > 0 && duration(work)}</span>
</summary>
<div class="body">
${result.error && errorView(result.error, node)}
${reasonsView(node)}
${destinationsView(node)}
${notesView(node)}
${identities(node, byId)}
${layerTable(node)}
${log && logView(log, id)}
</div>
</details>
`;
}

function kindOf({ type, result }: PageNode): string {
  if (type === "task") return "task";
  const { plugin, platform } = result as ImageResult;
  return type === "index" ? `${plugin}, all platforms` : `${plugin}, ${platform}`;
}

function firstReason({ result: { reasons, status } }: PageNode): string {
  const [first] = reasons;
  if (first === undefined || status === "cached") return "";
  const more = reasons.length > 1 ? ` and ${reasons.length - 1} more` : "";
  return `${describeReason(first)}${more}`;
}

function errorView({ message, where, next }: ErrorResult, { excerpt }: PageNode): Html {
  return markup`<div class="error">
<p>${message}</p>
${where && markup`<p class="where"><code>${where}</code></p>`}
${excerpt && markup`<pre>${excerpt}</pre>`}
${next && markup`<p class="next"><b>next:</b> ${next}</p>`}
</div>`;
}

function reasonsView({ result: { reasons } }: PageNode): Html | undefined {
  if (reasons.length === 0) return undefined;
  const items = reasons.map((reason) =>
    markup`<li><span class="kind">${reason.kind}</span> ${describeReason(reason)}</li>`
  );
  const rest = items.slice(REASONS);
  return markup`<h3>Why</h3>
<ul class="reasons">${items.slice(0, REASONS)}</ul>
${
    rest.length > 0 &&
    markup`<details class="more"><summary>${countText(rest.length, "more reason")}</summary>
<ul class="reasons">${rest}</ul></details>`
  }`;
}

function destinationsView({ result }: PageNode): Html | undefined {
  const { destinations = [] } = result as Partial<ImageResult>;
  if (destinations.length === 0) return undefined;
  return markup`<h3>Published</h3><ul class="destinations">${destinations.map(destination)}</ul>`;
}

function destination({ reference, status, detail, digest }: DestinationResult): Html {
  return markup`<li>${chip(status)}<span><code>${reference}</code>${
    digest && markup` <code class="faint">${digest}</code>`
  }${detail && markup` <span class="faint">${detail}</span>`}</span></li>`;
}

function notesView({ notices }: PageNode): Html | undefined {
  if (notices.length === 0) return undefined;
  return markup`<h3>Notes</h3><ul>${
    notices.map(({ message }) => markup`<li>${message}</li>`)
  }</ul>`;
}

function identities({ result, needs }: PageNode, byId: ReadonlyMap<string, PageNode>): Html {
  const { tag, digest, imageId } = result as Partial<ImageResult>;
  const rows: [string, Html | string | undefined][] = [
    ["needs", needs.length === 0 ? undefined : markup`${needs.map((need) => link(need, byId))}`],
    ["tag", tag],
    ["digest", digest],
    ["image ID", imageId],
    ["key", result.key],
  ];
  return markup`<dl class="ids">${
    rows.map(([name, value]) =>
      value !== undefined &&
      markup`<dt>${name}</dt><dd>${
        typeof value === "string" ? markup`<code>${value}</code>` : value
      }</dd>`
    )
  }</dl>`;
}

function link(id: string, byId: ReadonlyMap<string, PageNode>): Html {
  const node = byId.get(id);
  return node === undefined
    ? markup`<span>${id}</span> `
    : markup`<a href="#${node.anchor}">${id}</a> `;
}

function layerTable({ layers }: PageNode): Html | undefined {
  if (layers === undefined) return undefined;
  const total = layers.reduce((sum, layer) => sum + layer.size, 0);
  return markup`<h3>${countText(layers.length, "layer")}, ${size(total)}</h3>
<ol class="layers">${
    layers.map(({ digest, size: bytes, createdBy }) =>
      markup`<li><span class="bytes">${
        size(bytes)
      }</span><span class="share" aria-hidden="true"><i style="--width:${
        (100 * bytes / Math.max(1, total)).toFixed(2)
      }"></i></span><code>${createdBy ?? digest}</code></li>
`
    )
  }</ol>`;
}
