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
  const leftOut = anyOf(without);
  const folders = new Set<string>();
  const found = new Map<string, Found>();
  for (const selection of selections) {
    for (const each of walk(index, selection, leftOut, folders)) found.set(each.path, each);
  }
  const entries = await readContents(index, [...found.values()], onRead);
  entries.sort((a, b) => compareCodePoints(a.path, b.path));
  return { tree: { root: merkleRoot(entries), entries }, folders: [...folders] };
}

function* walk(
  index: FileIndex,
  selection: Selection,
  leftOut: (path: string) => boolean,
  folders: Set<string>,
): Generator<Found> {
  const matcher = matcherOf(selection);
  const root = selection.root === "." ? "" : selection.root.replace(/\/+$/, "");
  const { as: prefix = "", takes = "all" } = selection;
  const tracked = selection.tracked ? trackedBelow(index.projectRoot, root) : undefined;
  if (tracked !== undefined && index.folder(tracked.index)) folders.add(tracked.index);
  const visit = function* (below: string, taken: boolean, hidden: boolean): Generator<Found> {
    const folder = [root, below].filter((part) => part !== "").join("/");
    folders.add(folder);
    const listing = index.folder(folder);
    if (listing === undefined) return;
    for (const entry of entriesIn(listing, taken ? undefined : matcher.namesIn(below))) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      const inProject = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.name === STATE || (entry.name === ".git" && !selection.git)) continue;
      if (leftOut(inProject) || matcher.leavesOut(path)) continue;
      const isTaken = taken || matcher.takes(path);
      const isHidden = hides(matcher, path, hidden);
      const counts = entry.type !== "other" && (takes !== "files" || entry.type !== "directory") &&
        (tracked?.files.has(path) ?? true);
      if (isTaken && !isHidden && counts) {
        yield { path: `${prefix}${path}`, folder, entry, nameOnly: takes === "names" };
      }
      if (entry.type !== "directory" || (isHidden && !matcher.hidesPartly)) continue;
      if (tracked !== undefined && !tracked.folders.has(path)) continue;
      if (isTaken || matcher.mayTakeBelow(path)) yield* visit(path, isTaken, isHidden);
    }
  };
  yield* visit("", false, false);
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
  const unread = new Set(found.filter(needsReading));
  const total = [...unread].reduce((sum, { entry }) => sum + entry.size, 0);
  let all = 0;
  let read = 0;
  for (const each of found) {
    const entry = unread.has(each) ? readOne(index, each) : each.entry;
    if (entry !== each.entry) {
      const names = changed.get(each.folder) ?? new Map();
      names.set(each.entry.name, entry);
      changed.set(each.folder, names);
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
