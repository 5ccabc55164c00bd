/** What a doctor found, as lines for people. */

import { type Fault, renderFault } from "../../lib/model/errors.ts";
import { errorMessage } from "../../lib/report/faults.ts";
import type { Palette } from "../../lib/report/palette.ts";
import { columnsOf, wrap } from "../../lib/report/text.ts";
import { countText } from "../../lib/report/words.ts";
import type { ImageNeed } from "./needs.ts";
import type { RegistryState } from "./registries.ts";
import type { ToolState } from "./tools.ts";

/** An image, and whether what builds it is there. */
export interface ImageState extends Omit<ImageNeed, "folder"> {
  readonly ready: boolean;
}

/** All that was found. */
export interface Findings {
  readonly tools: readonly ToolState[];
  readonly registries: readonly RegistryState[];
  readonly images: readonly ImageState[];
  /** What is wrong with images.ts. */
  readonly fault?: Fault;
}

/** How it stands with one thing. */
type Mark = "built" | "failed" | "unavailable" | "skipped";

/** A line and what belongs below it. */
interface Row {
  readonly mark: Mark;
  readonly name: string;
  readonly text: string;
  readonly below: readonly string[];
}

/** Writes it in sections, no line wider than so many columns where words can be parted. */
export function findingLines(findings: Findings, palette: Palette, columns: number): string[] {
  const { tools, registries, images } = findings;
  return [
    ...section("Programs", tools.map((tool) => toolRow(tool, images)), palette, columns),
    "",
    ...section("Registries", registries.map(registryRow), palette, columns),
    ...(registries.length === 0 ? ["  none is declared"] : []),
    "",
    ...conclusion(findings, palette).flatMap((line) => wrap(line, columns)),
  ];
}

function section(
  title: string,
  rows: readonly Row[],
  palette: Palette,
  columns: number,
): string[] {
  const width = Math.max(0, ...rows.map(({ name }) => columnsOf(name)));
  const lines = rows.flatMap(({ mark, name, text, below }) => {
    const head = `  ${palette.mark(mark)} ${palette.name(name.padEnd(width))}  ${text}`.trimEnd();
    return [head, ...below.map((line) => `    ${line}`)];
  });
  return [palette.strong(title), ...lines.flatMap((line) => wrap(line, columns))];
}

function toolRow(tool: ToolState, images: readonly ImageState[]): Row {
  const { name, found, version = "", usable, why = "", next, isEngine, otherwise, neededBy } = tool;
  const builds = neededBy.length === 0 ? "" : `builds ${neededBy.join(", ")}`;
  if (usable) {
    return { mark: "built", name, text: [version, builds].filter(Boolean).join("  "), below: [] };
  }
  // Of engines one is enough: that none is there is said once, at the end.
  const isMissed = (found || !isEngine) &&
    images.some((each) => !each.ready && neededBy.includes(each.name));
  const text = [found ? version : "", why, isMissed ? `it ${builds}` : ""];
  const instead = otherwise === undefined ? "" : `; ${otherwise} builds meanwhile`;
  return {
    mark: isMissed ? "failed" : found ? "unavailable" : "skipped",
    name,
    text: text.filter(Boolean).join("  "),
    below: (found || isMissed) && next !== undefined ? [`next: ${next}${instead}`] : [],
  };
}

function registryRow(state: RegistryState): Row {
  const { name, address, repository, credentials, tried, writable, why = "", next } = state;
  const from = credentials === undefined
    ? "without credentials"
    : `with credentials from ${credentials}`;
  if (writable) {
    const text = `${address}  may write ${repository}, ${from}`;
    return { mark: "built", name, text, below: [] };
  }
  const looked = credentials === undefined && tried.length > 0
    ? [`no credentials in ${tried.join(", ")}`]
    : [from];
  return {
    mark: "failed",
    name,
    text: `${address}  ${why}`,
    below: [...looked, ...(next === undefined ? [] : [`next: ${next}`])],
  };
}

function conclusion({ images, fault, registries }: Findings, palette: Palette): string[] {
  if (fault !== undefined) return renderFault(fault).split("\n");
  if (images.length === 0) {
    return ["No image is declared.", "next: `images init` writes an images.ts"];
  }
  const broken = images.flatMap(({ name, fault }) =>
    fault === undefined ? [] : [
      `${palette.error(name)}: ${errorMessage(fault, [name])}`,
      ...(fault.next === undefined ? [] : [`  next: ${fault.next}`]),
    ]
  );
  const unready = images.filter((each) => !each.ready && each.fault === undefined);
  const refused = registries.filter(({ writable }) => !writable).map(({ name }) => name);
  const able = images.length - unready.length - images.filter((each) => each.fault).length;
  return [
    ...broken,
    ...unready.map(({ name, tools }) => `${palette.error(name)}: needs ${toolsText(tools)}`),
    ...(refused.length === 0 ? [] : [`Cannot be written from here: ${refused.join(", ")}`]),
    ...(able === images.length
      ? [`${palette.strong("ready")}: ${countText(able, "image")} can be built here`]
      : [`${able} of ${countText(images.length, "image")} can be built here`]),
  ];
}

/** `docker, podman or buildah, and nix`. */
function toolsText(tools: ImageNeed["tools"]): string {
  return tools.map((anyOf) => anyOf.join(", ").replace(/, (?=[^,]*$)/, " or ")).join(", and ");
}
