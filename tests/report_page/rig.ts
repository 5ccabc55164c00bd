/** A run of one's own making, for pages of texts that nobody would choose. */

import type { PageData, PageNode } from "../../lib/report/page/data.ts";
import { sha256 } from "../../lib/oci/sha256.ts";

/** What is said of one node. */
export interface NodeSketch {
  readonly id: string;
  readonly needs?: readonly string[];
  readonly status?: "built" | "cached" | "failed";
  /** From and to, in milliseconds. */
  readonly worked?: readonly [number, number];
  /** Used wherever a text of somebody else's making is shown. */
  readonly text?: string;
}

/** A page about these nodes. */
export function pageOf(sketches: readonly NodeSketch[], project = "project"): PageData {
  const nodes = sketches.map(nodeOf);
  const spans = nodes.flatMap((node) => node.spans);
  const ok = nodes.every(({ result }) => result.status !== "failed");
  return {
    project,
    nodes,
    record: {
      schema: 1,
      at: Date.UTC(2026, 0, 2, 3, 4, 5),
      nodes: nodes.map(({ id, needs }) => ({ id, type: "image", needs })),
      spans,
      notices: sketches.flatMap(({ text }) => text === undefined ? [] : [{ at: 0, message: text }]),
      excerpts: {},
      criticalPath: nodes.filter((node) => node.spans.length > 0).map(({ id }) => ({ id, ms: 1 })),
      document: {
        schema: 1,
        command: "build",
        ok,
        images: nodes.flatMap(({ result }) => "platform" in result ? result : []),
        tasks: [],
        totals: {},
        ms: Math.max(1, ...spans.map(({ to }) => to)),
      },
      status: ok ? 0 : 1,
      saved: 12_000,
    },
  };
}

function nodeOf(sketch: NodeSketch, at: number): PageNode {
  const { id, needs = [], status = "built", worked, text } = sketch;
  const said = text ?? id;
  return {
    id,
    anchor: `n${at}`,
    type: "image",
    needs,
    spans: worked === undefined ? [] : [{ id, phase: said, from: worked[0], to: worked[1] }],
    notices: [{ at: 0, id, message: said }],
    excerpt: said,
    layers: [{ digest: sha256("shared"), size: 5_000_000, createdBy: said }, {
      digest: sha256(id),
      size: 1_000_000 * (at + 1),
      createdBy: said,
    }],
    log: { lines: [said, `\u001b[31m${said}\u001b[0m`], dropped: 3, path: said },
    result: {
      name: id,
      platform: "linux/amd64",
      plugin: said,
      key: sha256(id).slice(7),
      tag: said,
      digest: sha256(id),
      imageId: sha256(id),
      status,
      reasons: [{ kind: "input-changed", path: said, detail: said }],
      needs,
      ms: 1,
      ...(status === "failed" ? { error: { message: said, where: said, next: said } } : {}),
      destinations: [{ registry: said, reference: said, status: "pushed", detail: said }],
    },
  };
}
