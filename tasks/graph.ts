/** `images graph`: what needs what, as text, JSON, Mermaid or DOT. */

import type { Graph } from "../lib/plan/graph.ts";
import { graphOf } from "../lib/plan/graph.ts";
import { type Branch, treeRows } from "../lib/report/tree.ts";
import { type CommonOptions, runSettings } from "./options.ts";
import { openProject } from "./run.ts";
import { print } from "./print.ts";

/** Ways to write a graph down. */
export type GraphFormat = "text" | "mermaid" | "dot" | "json";

/** Options of `graph`. */
export interface GraphOptions extends CommonOptions {
  readonly format?: GraphFormat;
}

/** Prints the graph; answers with the exit status. */
export async function graph(options: GraphOptions): Promise<number> {
  const project = await openProject(options);
  const nodes = graphOf(project, runSettings(options).platform);
  print(RENDERERS[options.json ? "json" : options.format ?? "text"](nodes));
  return 0;
}

const RENDERERS: Record<GraphFormat, (graph: Graph) => string> = { text, mermaid, dot, json };

/** Each node that nothing needs, with what it needs below it; what was shown before is cut short. */
function text(graph: Graph): string {
  const needed = new Set([...graph.nodes.values()].flatMap((node) => node.needs));
  const shown = new Set<string>();
  const branch = (id: string): Branch<Shown> => {
    const value: Shown = { id, again: false };
    const children = () => {
      const { needs } = graph.node(id);
      value.again = shown.has(id) && needs.length > 0;
      shown.add(id);
      return value.again ? [] : needs.map(branch);
    };
    return { value, children };
  };
  const roots = [...graph.nodes.keys()].filter((id) => !needed.has(id)).map(branch);
  return treeRows(roots).map(({ lead, value: { id, again } }) =>
    `${lead}${id}${graph.node(id).type === "task" ? " (task)" : ""}${again ? " …" : ""}`
  ).join("\n");
}

/** A node in the tree, perhaps not for the first time. */
interface Shown {
  readonly id: string;
  again: boolean;
}

function mermaid(graph: Graph): string {
  const ids = new Map([...graph.nodes.keys()].map((id, at) => [id, `n${at}`]));
  const lines = ["graph LR"];
  for (const { id, type } of graph.nodes.values()) {
    lines.push(`  ${ids.get(id)}${type === "task" ? `(["${id}"])` : `["${id}"]`}`);
  }
  for (const { id, needs } of graph.nodes.values()) {
    for (const need of needs) lines.push(`  ${ids.get(id)} --> ${ids.get(need)}`);
  }
  return lines.join("\n");
}

function dot(graph: Graph): string {
  const lines = ["digraph images {", "  rankdir=LR;"];
  for (const { id, type } of graph.nodes.values()) {
    lines.push(`  "${id}" [shape=${type === "task" ? "oval" : "box"}];`);
  }
  for (const { id, needs } of graph.nodes.values()) {
    for (const need of needs) lines.push(`  "${id}" -> "${need}";`);
  }
  return [...lines, "}"].join("\n");
}

function json(graph: Graph): string {
  const nodes = [...graph.nodes.values()].map((node) => ({
    id: node.id,
    type: node.type,
    ...(node.type === "image"
      ? { name: node.image.name, plugin: node.image.plugin.name, platform: node.platform }
      : { name: node.id }),
    needs: node.needs,
  }));
  return JSON.stringify({ schema: 1, command: "graph", ok: true, nodes });
}
