/** What did not come out the same twice, as text. */

import type { Drift, LayerDrift } from "../run/drift.ts";
import { configLine, fileLines } from "./comparison.ts";
import type { Palette } from "./palette.ts";
import { printable } from "./printable.ts";

/**
 * Renders what became of two builds, a node after the other.
 *
 * @param limit how many files of a layer are named.
 */
export function driftText(drifts: readonly Drift[], palette: Palette, limit: number): string {
  return drifts.flatMap((drift) => nodeLines(drift, palette, limit)).join("\n");
}

function nodeLines(drift: Drift, palette: Palette, limit: number): string[] {
  const { id, same, because, config, layers, outputs } = drift;
  const { name, dim, error, mark } = palette;
  if (same) return [`${mark("built")} ${name(id)}  ${dim("the same twice")}`];
  const cause = because.length === 0 ? "" : `, as ${because.join(" and ")} does`;
  return [
    `${mark("failed")} ${name(id)}  ${error("drifts")}${cause}`,
    ...config.map((each) => `    config ${configLine(each, palette)}`),
    ...layers.flatMap((each) => layerLines(each, palette, limit)),
    ...fileLines(outputs, palette, limit).map((line) => `    ${line}`),
  ];
}

function layerLines(
  { layer, createdBy, files }: LayerDrift,
  palette: Palette,
  limit: number,
): string[] {
  const maker = createdBy === undefined ? "" : `  ${palette.dim(printable(createdBy, false))}`;
  const lines = files.length === 0
    ? ["the same files; their order or the archive's headers differ"]
    : fileLines(files, palette, limit);
  return [`    layer ${layer + 1}${maker}`, ...lines.map((line) => `      ${line}`)];
}
