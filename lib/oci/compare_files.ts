/** What differs between the files of two layers, or of two images. */

import type { ListedFile } from "./listing.ts";

/** What of a file can differ. */
export type FileAspect = "type" | "content" | "target" | "mode" | "owner" | "attributes" | "mtime";

/** A file that is in one of two trees only, or differs between them. */
export interface FileChange {
  /** Absolute path in the image. */
  readonly path: string;
  readonly change: "added" | "removed" | "changed";
  /** What differs, the weightiest first; empty where the file is in one tree only. */
  readonly what: readonly FileAspect[];
  /** The file in the first tree. */
  readonly before?: ListedFile;
  /** The file in the second tree. */
  readonly after?: ListedFile;
}

/**
 * Compares two trees that were listed with contents.
 *
 * @returns one entry for each path that differs, sorted by path.
 */
export function compareFiles(
  before: Iterable<ListedFile>,
  after: Iterable<ListedFile>,
): FileChange[] {
  const old = new Map([...before].map((file) => [file.path, file]));
  const changes: FileChange[] = [];
  for (const file of byPath(after).values()) {
    const { path } = file;
    const was = old.get(path);
    old.delete(path);
    if (was === undefined) changes.push({ path, change: "added", what: [], after: file });
    else {
      const what = differing(was, file);
      if (what.length > 0) {
        changes.push({ path, change: "changed", what, before: was, after: file });
      }
    }
  }
  for (const file of old.values()) {
    changes.push({ path: file.path, change: "removed", what: [], before: file });
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Of two entries at one path the last one counts, as when a layer is unpacked. */
function byPath(files: Iterable<ListedFile>): Map<string, ListedFile> {
  return new Map([...files].map((file) => [file.path, file]));
}

function differing(a: ListedFile, b: ListedFile): FileAspect[] {
  const aspects: FileAspect[] = [];
  if (a.type !== b.type) aspects.push("type");
  else if (a.size !== b.size || a.digest !== b.digest) aspects.push("content");
  const isElsewhere = a.linkTarget !== b.linkTarget || a.hardLinkTo !== b.hardLinkTo ||
    String(a.device) !== String(b.device);
  if (isElsewhere) aspects.push("target");
  if (a.mode !== b.mode) aspects.push("mode");
  if (a.uid !== b.uid || a.gid !== b.gid) aspects.push("owner");
  if (String(a.xattrs) !== String(b.xattrs)) aspects.push("attributes");
  if (a.mtime !== b.mtime) aspects.push("mtime");
  return aspects;
}
