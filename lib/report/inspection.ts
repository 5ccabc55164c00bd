/** An image that was looked into, as text. */

import { shortDigest } from "../model/digest.ts";
import type { Json } from "../model/json.ts";
import type { InspectedLayer, Inspection } from "../oci/inspect.ts";
import { inColumns } from "./columns.ts";
import type { Palette } from "./palette.ts";
import { printable } from "./printable.ts";
import { countText, size } from "./words.ts";

/** Columns of the bar that shows a layer's share. */
const BAR = 16;

/**
 * Renders an inspection.
 *
 * @param limit how many wasted files are named.
 */
export function inspectionText(image: Inspection, palette: Palette, limit: number): string {
  const { dim, strong } = palette;
  const sections: [string, readonly string[]][] = [
    [strong("config"), fields(Object.entries(image.config), palette)],
    [strong("layers"), layerLines(image.layers, palette)],
    [strong("largest files"), largestLines(image, palette)],
    [wastedTitle(image, palette), wastedLines(image, palette, limit)],
  ];
  return [
    `${palette.name(printable(image.name, false))}  ${image.platform}`,
    ...inColumns([
      [dim("id"), image.imageId],
      [dim("digest"), image.digest],
      [dim("size"), totalText(image)],
    ]),
    ...sections.flatMap(([title, lines]) => ["", title, ...lines.map((line) => `  ${line}`)]),
  ].join("\n");
}

/** `203.1 MB in 1234 files, 5 layers of 78.2 MB as they are stored`. */
function totalText({ bytes, files, layers, size: stored }: Inspection): string {
  return `${size(bytes)} in ${countText(files, "file")}, ${countText(layers.length, "layer")} of ${
    size(stored)
  }`;
}

/** A config's fields or the like; a text is shown as it is, anything else as JSON. */
function fields(entries: readonly (readonly [string, Json])[], { dim }: Palette): string[] {
  return inColumns(entries.map(([name, value]) => [dim(printable(name, false)), valueText(value)]));
}

/** A value of a config for people. */
export function valueText(value: Json | undefined): string {
  if (value === undefined) return "not set";
  return printable(typeof value === "string" ? value : JSON.stringify(value), false);
}

function layerLines(layers: readonly InspectedLayer[], { dim }: Palette): string[] {
  const most = Math.max(1, ...layers.map(({ bytes }) => bytes));
  return inColumns(
    layers.map(({ bytes, files, createdBy, diffId }, at) => [
      `${at + 1}`,
      size(bytes),
      bar(bytes / most),
      dim(countText(files, "file")),
      createdBy === undefined ? dim(shortDigest(diffId)) : printable(createdBy, false),
    ]),
    [0, 1],
  );
}

/** A share as a bar; what is there at all is seen. */
function bar(share: number): string {
  const eighths = share === 0 ? 0 : Math.max(1, Math.round(share * BAR * 8));
  const full = "█".repeat(Math.floor(eighths / 8));
  const rest = eighths % 8 === 0 ? "" : String.fromCharCode(0x2590 - eighths % 8);
  return `${full}${rest}`.padEnd(BAR);
}

function largestLines({ largest }: Inspection, { dim }: Palette): string[] {
  return inColumns(
    largest.map(({ path, size: bytes, layer }) => [
      size(bytes),
      dim(`layer ${layer + 1}`),
      printable(path, false),
    ]),
    [0],
  );
}

function wastedTitle({ wasted }: Inspection, { strong }: Palette): string {
  if (wasted.files.length === 0) return `${strong("wasted")}  nothing`;
  const files = countText(wasted.files.length, "file");
  return `${strong("wasted")}  ${size(wasted.bytes)} in ${files} that higher layers cover`;
}

function wastedLines({ wasted }: Inspection, { dim }: Palette, limit: number): string[] {
  const more = wasted.files.length - limit;
  return [
    ...inColumns(
      wasted.files.slice(0, limit).map(({ path, size: bytes, layer, by, how }) => [
        size(bytes),
        dim(`layer ${layer + 1}, ${how} by ${by + 1}`),
        printable(path, false),
      ]),
      [0],
    ),
    ...more > 0 ? [dim(`and ${more} more`)] : [],
  ];
}
