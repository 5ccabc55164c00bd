/** Walking selections and reading what is new: from files to an input tree. */

import { Fault } from "../model/errors.ts";
import type { Entry, Selection, Tree } from "../model/selection.ts";
import { compareCodePoints } from "../oci/json.ts";
import { withContent } from "./content.ts";
import type { Folder, Indexed } from "./folders.ts";
import type { FileIndex } from "./index.ts";
import { anyOf, type Matcher, matcherOf } from "./match.ts";
import { merkleRoot } from "./merkle.ts";
import { trackedBelow } from "./tracked.ts";

/** Bytes that are read before other work gets its turn. */
const BREATH = 64 * 1024 * 1024;

/** Told now and then how many bytes of how many were read, where that takes a while. */
type OnRead = (done: number, total: number) => void;

/** A folder that never is an input: our own state. */
const STATE = ".images";

/** An entry that was selected, and where it is. */
interface Found {
  readonly path: string;
  /** Folder, relative to the project's. */
  readonly folder: string;
  readonly entry: Indexed;
  /** Only its name counts. */
  readonly nameOnly: boolean;
}

/** The tree of some selections, and the folders that were looked at for it. */
export async function collect(
  index: FileIndex,
  selections: readonly Selection[],
  without: readonly string[],
  onRead?: OnRead,
): Promise<{ readonly tree: Tree; readonly folders: readonly string[] }> {
  const leftOut = without.length === 0 ? undefined : anyOf(without);
  const folders = new Set<string>();
  const found: Found[] = [];
  for (const selection of selections) walk(index, selection, leftOut, folders, found);
  const entries = await readContents(index, selections.length > 1 ? last(found) : found, onRead);
  entries.sort((a, b) => compareCodePoints(a.path, b.path));
  return { tree: { root: merkleRoot(entries), entries }, folders: [...folders] };
}

/** Of what several selections have at one path the last counts. */
function last(found: readonly Found[]): Found[] {
  return [...new Map(found.map((each) => [each.path, each])).values()];
}

function walk(
  index: FileIndex,
  selection: Selection,
  leftOut: ((path: string) => boolean) | undefined,
  folders: Set<string>,
  found: Found[],
): void {
  const matcher = matcherOf(selection);
  const root = selection.root === "." ? "" : selection.root.replace(/\/+$/, "");
  const { as: prefix = "", takes = "all" } = selection;
  const nameOnly = takes === "names";
  const tracked = selection.tracked ? trackedBelow(index.projectRoot, root) : undefined;
  if (tracked !== undefined && index.folder(tracked.index)) folders.add(tracked.index);
  const visit = (below: string, taken: boolean, hidden: boolean): void => {
    const folder = root === "" ? below : below === "" ? root : `${root}/${below}`;
    folders.add(folder);
    const listing = index.folder(folder);
    if (listing === undefined) return;
    for (const entry of entriesIn(listing, taken ? undefined : matcher.namesIn(below))) {
      const { name, type } = entry;
      if (name === STATE || (name === ".git" && !selection.git)) continue;
      if (leftOut?.(folder === "" ? name : `${folder}/${name}`)) continue;
      const path = below === "" ? name : `${below}/${name}`;
      if (matcher.leavesOut(path)) continue;
      const isTaken = taken || matcher.takes(path);
      const isHidden = hides(matcher, path, hidden);
      const counts = type !== "other" && (takes !== "files" || type !== "directory") &&
        (tracked?.files.has(path) ?? true);
      if (isTaken && !isHidden && counts) {
        found.push({ path: prefix + path, folder, entry, nameOnly });
      }
      if (type !== "directory" || (isHidden && !matcher.hidesPartly)) continue;
      if (tracked !== undefined && !tracked.folders.has(path)) continue;
      if (isTaken || matcher.mayTakeBelow(path)) visit(path, isTaken, isHidden);
    }
  };
  visit("", false, false);
}

/** Only the entries that count: a folder of thousands may be walked for one of them. */
function entriesIn(listing: Folder, names: ReadonlySet<string> | undefined): Iterable<Indexed> {
  const entries = listing.entries();
  if (names === undefined) return entries.values();
  return [...names].flatMap((name) => entries.get(name) ?? []);
}

/** Below a hidden folder only a later `!` line shows anything again. */
function hides(matcher: Matcher, path: string, hiddenFolder: boolean): boolean {
  return hiddenFolder && !matcher.hidesPartly ? true : matcher.hides(path);
}

async function readContents(
  index: FileIndex,
  found: readonly Found[],
  onRead: OnRead | undefined,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  const changed = new Map<string, Map<string, Indexed | undefined>>();
  const total = found.reduce((sum, each) => needsReading(each) ? sum + each.entry.size : sum, 0);
  let all = 0;
  let read = 0;
  for (const each of found) {
    const entry = needsReading(each) ? readOne(index, each) : each.entry;
    if (entry !== each.entry) {
      let names = changed.get(each.folder);
      if (names === undefined) changed.set(each.folder, names = new Map());
      names.set(each.entry.name, entry);
      read += each.entry.size;
      if (read > BREATH) {
        all += read;
        onRead?.(all, total);
        read = 0;
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }
    if (entry !== undefined) entries.push(entryOf(each, entry));
  }
  if (all > 0) onRead?.(total, total);
  for (const [folder, names] of changed) index.update(folder, names);
  return entries;
}

function needsReading({ entry, nameOnly }: Found): boolean {
  return !nameOnly && entry.type !== "directory" && (entry.content === undefined || !entry.settled);
}

function readOne(index: FileIndex, { folder, entry }: Found): Indexed | undefined {
  const path = folder === "" ? index.projectRoot : `${index.projectRoot}/${folder}`;
  return withContent(`${path}/${entry.name}`, entry);
}

function entryOf({ path, nameOnly }: Found, entry: Indexed): Entry {
  const { type, executable, size, content } = entry;
  if (type === "other") throw new Fault(`"${path}" became something else while it was read`);
  if (type === "directory" || nameOnly) return { path, type, executable: false, size: 0 };
  if (type === "symlink") return { path, type, executable: false, size: 0, target: content ?? "" };
  return { path, type, executable, size, digest: content ?? "" };
}
