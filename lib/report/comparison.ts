/** Two images beside each other, as text. */

import { shortDigest } from "../model/digest.ts";
import type { Json } from "../model/json.ts";
import type { ConfigChange } from "../oci/compare_configs.ts";
import type { FileAspect, FileChange } from "../oci/compare_files.ts";
import type { ImageComparison } from "../oci/compare_images.ts";
import type { PackageChange } from "../oci/compare_packages.ts";
import type { ListedFile } from "../oci/listing.ts";
import { inColumns } from "./columns.ts";
import { valueText } from "./inspection.ts";
import type { Palette } from "./palette.ts";
import { printable } from "./printable.ts";
import { countText, size } from "./words.ts";

/**
 * Renders a comparison.
 *
 * @param limit how many files and packages are named each.
 */
export function comparisonText(
  comparison: ImageComparison,
  palette: Palette,
  limit: number,
): string {
  const { before, after, platform, config, packages, files } = comparison;
  const { name, dim, strong } = palette;
  const names = before.name === after.name
    ? [
      `${before.name} (${shortDigest(before.digest)})`,
      `${after.name} (${shortDigest(after.digest)})`,
    ]
    : [before.name, after.name];
  const head = `${names.map((each) => name(printable(each, false))).join(" → ")}  ${platform}`;
  if (comparison.same) return `${head}\n${dim("the same image")}  ${before.imageId}`;
  const times = files.filter(onlyTime);
  const sections: [string, readonly string[]][] = [
    ["config", config.map((each) => configLine(each, palette))],
    ["packages", packageLines(packages, palette, limit)],
    ["files", fileLines(files.filter((each) => !onlyTime(each)), palette, limit)],
    [
      "times",
      times.length === 0 ? [] : [dim(`${countText(times.length, "file")} with another time only`)],
    ],
  ];
  return [
    head,
    ...inColumns([
      [dim("size"), sizeChange(before.bytes, after.bytes)],
      [dim("layers"), layersText(comparison)],
    ]),
    ...sections.filter(([, lines]) => lines.length > 0)
      .flatMap(([title, lines]) => ["", strong(title), ...lines.map((line) => `  ${line}`)]),
  ].join("\n");
}

/** A time alone changes no program's behaviour; there may be thousands of them. */
function onlyTime({ what }: FileChange): boolean {
  return what.length === 1 && what[0] === "mtime";
}

function layersText({ sharedLayers, before, after }: ImageComparison): string {
  return `${sharedLayers} shared, ${before.ownLayers} only before, ${after.ownLayers} only after`;
}

/** `12.0 MB → 12.5 MB (+500.0 kB)`. */
export function sizeChange(before: number, after: number): string {
  if (before === after) return size(after);
  const difference = `${after > before ? "+" : "−"}${size(Math.abs(after - before))}`;
  return `${size(before)} → ${size(after)} (${difference})`;
}

/** A field of a config that differs. */
export function configLine({ field, before, after }: ConfigChange, palette: Palette): string {
  const shown = printable(field, false);
  const [old, now] = [before, after].map((value) => valueText(brief(value)));
  if (before === undefined) return `${sign("added", palette)} ${shown} = ${now}`;
  if (after === undefined) return `${sign("removed", palette)} ${shown} = ${old}`;
  if (old !== now) return `${sign("changed", palette)} ${shown}: ${old} → ${now}`;
  return `${sign("changed", palette)} ${shown}: ${valueText(before)} → ${valueText(after)}`;
}

/** Of an entry of the history, what people know it by. */
function brief(value: Json | undefined): Json | undefined {
  const isEntry = typeof value === "object" && value !== null && "created_by" in value;
  return isEntry ? value.created_by : value;
}

function packageLines(
  packages: readonly PackageChange[],
  palette: Palette,
  limit: number,
): string[] {
  const rows = packages.slice(0, limit).map(({ manager, name, change, before, after }) => {
    const versions = change === "rebuilt"
      ? `${after.join(", ")} built again`
      : [before, after].filter((each) => each.length > 0).map((each) => each.join(", "))
        .join(" → ");
    return [
      `${sign(change, palette)} ${printable(name, false)}`,
      palette.dim(manager),
      printable(versions, false),
    ];
  });
  return [...inColumns(rows), ...moreLine(packages.length - limit, palette)];
}

/** Files that differ, each with what of it does. */
export function fileLines(
  files: readonly FileChange[],
  palette: Palette,
  limit: number,
): string[] {
  const rows = files.slice(0, limit).map((each) => [
    `${sign(each.change, palette)} ${printable(each.path, false)}`,
    palette.dim(aspectsText(each)),
  ]);
  return [...inColumns(rows), ...moreLine(files.length - limit, palette)];
}

function aspectsText({ what, before, after }: FileChange): string {
  if (before !== undefined && after !== undefined) {
    return what.map((aspect) => aspectText(aspect, before, after)).join(", ");
  }
  const file = before ?? after;
  return file?.type === "file" ? size(file.size) : file?.type ?? "";
}

/** How one aspect of a file differs: `content (1.2 kB → 1.3 kB)`, `mode (0644 → 0755)`. */
function aspectText(aspect: FileAspect, before: ListedFile, after: ListedFile): string {
  const [old, now] = [before, after].map((file) => VALUES[aspect](file));
  return old === now ? aspect : `${aspect} (${old} → ${now})`;
}

const VALUES: Record<FileAspect, (file: ListedFile) => string> = {
  type: ({ type }) => type,
  content: (file) => size(file.size),
  target: ({ linkTarget, hardLinkTo }) => printable(linkTarget ?? hardLinkTo ?? "none", false),
  mode: ({ mode }) => mode.toString(8).padStart(4, "0"),
  owner: ({ uid, gid }) => `${uid}:${gid}`,
  attributes: ({ xattrs }) => (xattrs ?? []).map(([name]) => name).join(" ") || "none",
  mtime: ({ mtime }) => timeText(mtime),
};

/** Seconds since 1970 as people write times; an archive may say anything. */
function timeText(seconds: number | undefined): string {
  const date = new Date((seconds ?? Number.NaN) * 1000);
  if (Number.isNaN(date.getTime())) return "no time";
  return date.toISOString().replace(".000Z", "Z");
}

function moreLine(more: number, { dim }: Palette): string[] {
  return more > 0 ? [dim(`and ${more} more; --verbose names all`)] : [];
}

/** What came, went or changed, at the start of a line. */
function sign(change: PackageChange["change"], { strong, error, notice }: Palette): string {
  if (change === "added") return strong("+");
  return change === "removed" ? error("-") : notice("~");
}
