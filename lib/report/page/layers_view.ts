/** The layers of all images as a picture: one bar for each image, all of one scale. */

import type { Digest } from "../../model/digest.ts";
import { countText, size } from "../words.ts";
import type { PageData, PageLayer, PageNode } from "./data.ts";
import { type Html, markup } from "./html.ts";

/** Colours for layers that several images share; the style sheet has so many. */
const SHARED_COLORS = 6;

/** The most images whose layers are drawn. */
const MOST = 100;

/** The section; nothing where no layers are known here. */
export function layersView({ nodes }: PageData): Html | undefined {
  const images = nodes.filter((node): node is PageNode & { layers: readonly PageLayer[] } =>
    node.layers !== undefined && node.layers.length > 0
  ).sort((a, b) => sum(b.layers) - sum(a.layers));
  if (images.length === 0) return undefined;
  const colors = sharedColors(images.map(({ layers }) => layers));
  const largest = Math.max(...images.map(({ layers }) => sum(layers)));
  const all = images.flatMap(({ layers }) => layers);
  const distinct = new Map(all.map((layer) => [layer.digest, layer]));
  const total = sum(all);
  const stored = sum([...distinct.values()]);
  const shared = total > stored &&
    `; ${
      size(total - stored)
    } more if images did not share them. A colour that comes again is the same layer`;
  return markup`<section id="layers" aria-labelledby="layers-title">
<h2 id="layers-title">Layers</h2>
<p class="lead">${countText(distinct.size, "layer")} of ${countText(images.length, "image")}, ${
    size(stored)
  } as they are stored here${shared}.${images.length > MOST && ` The ${MOST} largest images:`}</p>
<ol class="stacks">${images.slice(0, MOST).map((node) => stack(node, largest, colors))}</ol>
</section>`;
}

function stack(
  { id, anchor, layers }: PageNode & { layers: readonly PageLayer[] },
  largest: number,
  colors: ReadonlyMap<Digest, number>,
): Html {
  const total = sum(layers);
  const share = Math.max(0.5, 100 * total / Math.max(1, largest)).toFixed(2);
  const segments = layers.map((layer, at) => {
    const color = colors.get(layer.digest);
    const tint = color === undefined ? `own t${at % 4}` : `shared s${color}`;
    const what = `${size(layer.size)}: ${layer.createdBy ?? layer.digest}`;
    return markup`<i class="${tint}" style="flex-grow:${layer.size}" title="${what}"></i>`;
  });
  return markup`<li data-node="${id}">
<a href="#${anchor}">${id}</a>
<span class="total">${size(total)}</span>
<span class="stack" style="--width:${share}" role="img" aria-label="${
    countText(layers.length, "layer")
  }">${segments}</span>
</li>
`;
}

/** A colour for each layer that more than one image has. */
function sharedColors(images: readonly (readonly PageLayer[])[]): Map<Digest, number> {
  const counts = new Map<Digest, number>();
  for (const layers of images) {
    for (const digest of new Set(layers.map((layer) => layer.digest))) {
      counts.set(digest, (counts.get(digest) ?? 0) + 1);
    }
  }
  const shared = [...counts].filter(([, count]) => count > 1).map(([digest]) => digest);
  return new Map(shared.map((digest, at) => [digest, at % SHARED_COLORS]));
}

function sum(layers: readonly PageLayer[]): number {
  return layers.reduce((total, layer) => total + layer.size, 0);
}
