/** What needs what, drawn: needs on the left, what needs them to the right. */

import { graphlib, layout } from "@dagrejs/dagre";
import type { Subject } from "../../model/events.ts";
import { countText, duration } from "../words.ts";
import { criticalIds, type PageData, type PageNode, workOf } from "./data.ts";
import { type Html, markup } from "./html.ts";
import { markOf, statusOf, toneOf } from "./tone.ts";

/** More nodes than this are not drawn: nobody would find anything among them. */
const MOST = 100;

/** Sizes in pixels. */
const HEIGHT = 44, PADDING = 48, MARGIN = 4;

/** Widths of a character in the widest of the usual fonts, in pixels. */
const NAME_CHARACTER = 8.9, DETAIL_CHARACTER = 6.9;

/** The most characters of a name in its box. */
const NAME_LENGTH = 30;

/** The section; nothing where there are no edges to draw. */
export function graphView(data: PageData): Html | undefined {
  const nodes = data.nodes.filter(({ type }) => type !== "index");
  const drawn = nodes.length <= MOST ? nodes : mostInteresting(nodes);
  if (drawn.length === 0) return undefined;
  return markup`<section id="graph" aria-labelledby="graph-title">
<h2 id="graph-title">Graph</h2>
<p class="lead">What needs what, from left to right.${
    drawn.length < nodes.length &&
    ` Of ${
      countText(nodes.length, "node")
    } ${drawn.length} are drawn: what took longest, and what is beside it.`
  }</p>
<div class="scroll" tabindex="0" role="group" aria-label="The graph">${drawing(drawn, data)}</div>
</section>`;
}

/** What happened, the longest first, and its neighbours. */
function mostInteresting(nodes: readonly PageNode[]): readonly PageNode[] {
  const happened = new Set(
    nodes.filter(({ result, spans }) => spans.length > 0 || toneOf(statusOf(result)) === "failed")
      .map(({ id }) => id),
  );
  const near = new Set(happened);
  for (const { id, needs } of nodes) {
    if (happened.has(id)) needs.forEach((need) => near.add(need));
    else if (needs.some((need) => happened.has(need))) near.add(id);
  }
  const chosen = nodes.filter(({ id }) => near.has(id))
    .sort((a, b) => workOf(b) - workOf(a)).slice(0, MOST);
  const ids = new Set(chosen.map(({ id }) => id));
  return nodes.filter(({ id }) => ids.has(id));
}

function drawing(nodes: readonly PageNode[], { record }: PageData): Html {
  const width = Math.max(...nodes.map(widthOf));
  const graph = laidOut(nodes, width);
  const critical = criticalIds(record);
  const lines = graph.edges().map(({ v, w }) => {
    const on = critical.has(v) && critical.has(w);
    const line = curve(pointsOf(graph, v, w));
    return markup`<path class="edge${
      on && " critical"
    }" data-from="${v}" data-to="${w}" d="${line}"/>`;
  });
  const boxes = nodes.map((node) => box(node, graph.node(node.id), critical.has(node.id)));
  const { left, top, right, bottom } = extent(graph);
  const [w, h] = [right - left, bottom - top];
  const size = markup`viewBox="${left} ${top} ${w} ${h}" width="${w}" height="${h}"`;
  return markup`<svg class="graph" ${size} role="group" aria-label="${nodes.length} nodes and what they need">${lines}${boxes}</svg>`;
}

interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

type Graph = graphlib.Graph<object, Box, { readonly points: readonly Point[] }>;

/** Boxes of one width stand in columns, which are easier to follow. */
function laidOut(nodes: readonly PageNode[], width: number): Graph {
  const graph: Graph = new graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 64, edgesep: 10 });
  graph.setDefaultEdgeLabel(() => ({ points: [] }));
  for (const { id } of nodes) graph.setNode(id, { width, height: HEIGHT, x: 0, y: 0 });
  for (const { id, needs } of nodes) {
    for (const need of needs) if (graph.hasNode(need)) graph.setEdge(need, id);
  }
  layout(graph as graphlib.Graph);
  return graph;
}

function widthOf(node: PageNode): number {
  return PADDING +
    Math.max(
      shown(node.id).length * NAME_CHARACTER,
      detailOf(node).length * DETAIL_CHARACTER,
    );
}

function detailOf(node: PageNode): string {
  const work = workOf(node);
  return [
    ...node.type === "task" ? ["task"] : [],
    statusOf(node.result),
    ...work > 0 ? [duration(work)] : [],
  ].join(", ");
}

function shown(id: Subject): string {
  return id.length > NAME_LENGTH ? `${id.slice(0, NAME_LENGTH - 1)}…` : id;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function box(node: PageNode, { x, y, width }: Box, critical: boolean): Html {
  const { id, anchor, type, result } = node;
  const tone = toneOf(statusOf(result));
  const detail = detailOf(node);
  const corner = `${(x - width / 2).toFixed(1)} ${(y - HEIGHT / 2).toFixed(1)}`;
  const place = markup`transform="translate(${corner})"`;
  const shape = markup`width="${width.toFixed(1)}" height="${HEIGHT}"`;
  return markup`<a href="#${anchor}" data-node="${id}" class="box ${tone}${
    critical && " critical"
  }" ${place}>
<title>${id}: ${detail}</title>
<rect ${shape} rx="${type === "task" ? HEIGHT / 2 : 9}"/>
<text class="mark" x="20" y="27" text-anchor="middle">${markOf(tone)}</text>
<text class="name" x="34" y="19">${shown(id)}</text>
<text class="detail" x="34" y="34">${detail}</text>
</a>`;
}

/** From the side of a box to the side of another, around what lies between. */
function pointsOf(graph: Graph, from: Subject, to: Subject): Point[] {
  const [start, end] = [graph.node(from), graph.node(to)];
  const between = graph.edge({ v: from, w: to }).points.slice(1, -1);
  return [
    { x: start.x + start.width / 2, y: start.y },
    // An edge between neighbours has one point of its own, which it does not need.
    ...between.length > 1 ? between : [],
    { x: end.x - end.width / 2, y: end.y },
  ];
}

/** A line that is level at each of its points. */
function curve(points: readonly Point[]): string {
  return points.map((point, index) => {
    const before = points[index - 1];
    if (before === undefined) return `M${at(point)}`;
    const x = (before.x + point.x) / 2;
    return `C${at({ x, y: before.y })} ${at({ x, y: point.y })} ${at(point)}`;
  }).join("");
}

function at({ x, y }: Point): string {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

/** All that is drawn: edges may lead around the outermost boxes. */
function extent(graph: Graph): { left: number; top: number; right: number; bottom: number } {
  const points = [
    ...graph.edges().flatMap(({ v, w }) => pointsOf(graph, v, w)),
    ...graph.nodes().map((id) => graph.node(id)).flatMap(({ x, y, width, height }) => [
      { x: x - width / 2, y: y - height / 2 },
      { x: x + width / 2, y: y + height / 2 },
    ]),
  ];
  return {
    left: Math.floor(Math.min(...points.map(({ x }) => x))) - MARGIN,
    top: Math.floor(Math.min(...points.map(({ y }) => y))) - MARGIN,
    right: Math.ceil(Math.max(...points.map(({ x }) => x))) + MARGIN,
    bottom: Math.ceil(Math.max(...points.map(({ y }) => y))) + MARGIN,
  };
}
