/** Walking selections and reading what is new: from files to an input tree. */

import { Fault } from "../model/errors.ts";
import type { Projection } from "../model/projection.ts";
import type { Entry, Selection, Tree } from "../model/selection.ts";
import { compareCodePoints } from "../oci/json.ts";
import { readContent } from "./content.ts";
import type { Folder } from "./folder.ts";
import type { FileIndex, TreeOptions } from "./index.ts";
import { anyOf, type Matcher, matcherOf } from "./match.ts";
import { merkleRoot } from "./merkle.ts";
import { trackedBelow } from "./tracked.ts";
import { realPath } from "./way.ts";

/** Bytes that are read before other work gets its turn. */
const BREATH = 64 * 1024 * 1024;

/** Told now and then how many bytes of how many were read, where that takes a while. */
type OnRead = (done: number, total: number) => void;

/** A folder that never is an input: our own state. */
const STATE = ".images";

/** An entry that was selected, and where it is. */
interface Found {
  readonly path: string;
  readonly folder: Folder;
  /** Its position in the folder. */
  readonly at: number;
  /** The folder's path, relative to the project's. */
  readonly relative: string;
  /** What it holds, or where it leads, counts. */
  readonly content: boolean;
}

/** Folders that were looked at, by their paths relative to the project's. */
export type LookedAt = ReadonlyMap<string, Folder | undefined>;

/** The tree of some selections, and the folders that were looked at for it. */
export async function collect(
  index: FileIndex,
  selections: readonly Selection[],
  { without = [], projections = [], onRead }: TreeOptions,
): Promise<{ readonly tree: Tree; readonly folders: LookedAt }> {
  const leftOut = without.length === 0 ? undefined : await anyOf(without);
  const folders = new Map<string, Folder | undefined>();
  const found: Found[] = [];
  const special = new Set<string>();
  for (const selection of selections) {
    walk(index, selection, await matcherOf(selection), leftOut, folders, found, special);
  }
  const counted = selections.length > 1 ? last(found) : found;
  const project = projections.length === 0 ? undefined : await projecting(index, projections);
  const entries = await readContents(index, counted, onRead, project);
  entries.sort((a, b) => compareCodePoints(a.path, b.path));
  const root = merkleRoot(entries);
  const tree = special.size === 0 ? { root, entries } : { root, entries, special: [...special] };
  return { tree, folders };
}

/** Makes an entry whose digest may be of a part of the file. */
type Projecting = (found: Found) => Promise<Entry>;

async function projecting(
  index: FileIndex,
  projections: readonly Projection[],
): Promise<Projecting> {
  const { Projector } = await import("./projections/projector.ts");
  const onWhole = (path: string, why: string) => index.wholeFiles.set(path, why);
  const projector = new Projector(index.projections, projections, onWhole);
  return (found) => {
    const { relative, folder, at } = found;
    const name = folder.names[at]!;
    const path = relative === "" ? name : `${relative}/${name}`;
    return projector.project(path, `${index.pathOf(relative)}/${name}`, entryOf(found));
  };
}

/** Of what several selections have at one path the last counts. */
function last(found: readonly Found[]): Found[] {
  return [...new Map(found.map((each) => [each.path, each])).values()];
}

function walk(
  index: FileIndex,
  selection: Selection,
  matcher: Matcher,
  leftOut: ((path: string) => boolean) | undefined,
  folders: Map<string, Folder | undefined>,
  found: Found[],
  special: Set<string>,
): void {
  const root = selection.root === "." ? "" : selection.root.replace(/\/+$/, "");
  const { as: prefix = "", takes = "all" } = selection;
  const tracked = selection.tracked ? trackedBelow(index.projectRoot, root) : undefined;
  if (tracked !== undefined) folders.set(tracked.index, index.folder(tracked.index)?.folder);
  const state = stateOf(index);
  const visit = (below: string, taken: boolean, hidden: boolean): void => {
    const relative = root === "" ? below : below === "" ? root : `${root}/${below}`;
    const folder = index.folder(relative)?.folder;
    folders.set(relative, folder);
    if (folder === undefined) return;
    for (const at of positionsIn(folder, taken ? undefined : matcher.namesIn(below))) {
      const name = folder.names[at]!;
      const type = folder.rows.type(folder.row(at));
      if (name === STATE || (name === ".git" && !selection.git)) continue;
      if (name === state.name && isState(state, index.pathOf(relative))) continue;
      if (leftOut?.(relative === "" ? name : `${relative}/${name}`)) continue;
      const path = below === "" ? name : `${below}/${name}`;
      if (matcher.leavesOut(path)) continue;
      const isTaken = taken || matcher.takes(path);
      const isHidden = hides(matcher, path, hidden);
      if (folder.rows.isNameless(folder.row(at))) {
        const isTracked = tracked === undefined || tracked.hasFile(path) || tracked.hasFolder(path);
        if (isTaken && !isHidden && isTracked && takes !== "kinds") {
          throw nameless(index.pathOf(relative), name);
        }
        continue;
      }
      const isFolder = type === "directory";
      // A folder whose tracked files are all deleted counts: git's users see that it is there.
      const isTracked = tracked === undefined ||
        (isFolder ? tracked.hasFolder(path) : tracked.hasFile(path));
      const counts = type !== "other" && (takes !== "files" || !isFolder) && isTracked;
      if (isTaken && !isHidden && counts) {
        const content = takes !== "names" && (takes !== "kinds" || type === "symlink");
        found.push({ path: prefix + path, folder, at, relative, content });
      }
      if (isTaken && !isHidden && type === "other") special.add(prefix + path);
      if (!isFolder || !isTracked || (isHidden && !matcher.hidesPartly)) continue;
      const takesBelow = isTaken && takes !== "kinds";
      if (takesBelow || matcher.mayTakeBelow(path)) visit(path, takesBelow, isHidden);
    }
  };
  visit("", false, false);
}

/** The folder of the state: a link may lead there. */
function stateOf(
  { stateFolder = STATE }: FileIndex,
): { readonly path: string; readonly name: string } {
  const path = realPath(stateFolder) ?? stateFolder;
  return { path, name: path.slice(path.lastIndexOf("/") + 1) };
}

/** Whether the state is what has its name in this folder. */
function isState(state: { readonly path: string; readonly name: string }, folder: string): boolean {
  const path = `${folder}/${state.name}`;
  return (realPath(path) ?? path) === state.path;
}

function nameless(folder: string, name: string): Fault {
  return new Fault(`The name "${name}" is not UTF-8`, {
    where: folder,
    next: "rename it, or leave it out of the inputs",
  });
}

/** Only the entries that count: a folder of thousands may be walked for one of them. */
function positionsIn(folder: Folder, names: ReadonlySet<string> | undefined): Iterable<number> {
  if (names === undefined) return folder.names.keys();
  return [...names].flatMap((name) => folder.position(name) ?? []);
}

/** Below a hidden folder only a later `!` line shows anything again. */
function hides(matcher: Matcher, path: string, hiddenFolder: boolean): boolean {
  return hiddenFolder && !matcher.hidesPartly ? true : matcher.hides(path);
}

async function readContents(
  index: FileIndex,
  found: readonly Found[],
  onRead: OnRead | undefined,
  project: Projecting | undefined,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  let [all, read] = [0, 0];
  let total: number | undefined;
  for (const [at, each] of found.entries()) {
    if (mustRead(index, each)) {
      if (!readOne(index, each)) continue;
      read += sizeOf(each);
      if (read > BREATH) {
        all += read;
        read = 0;
        total ??= all + sizeOfRest(index, found.slice(at + 1));
        onRead?.(all, total);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }
    entries.push(project === undefined ? entryOf(each) : await project(each));
  }
  if (total !== undefined) onRead?.(total, total);
  return entries;
}

function mustRead(index: FileIndex, { folder, at, content }: Found): boolean {
  return content && index.mustRead(folder, at);
}

/** Bytes that are still to be read. */
function sizeOfRest(index: FileIndex, found: readonly Found[]): number {
  const rest = found.filter((each) => mustRead(index, each));
  for (const { relative } of rest) index.lookAtRest(relative);
  return rest.reduce((sum, each) => sum + sizeOf(each), 0);
}

function sizeOf({ folder, at }: Found): number {
  return folder.rows.size(folder.row(at));
}

/** Says whether it is still there. */
function readOne(index: FileIndex, { folder, at, relative }: Found): boolean {
  const begun = Date.now();
  const path = `${index.pathOf(relative)}/${folder.names[at]}`;
  const content = readContent(path, folder.rows, folder.row(at));
  if (content === undefined) return false;
  index.keep(relative, folder, at, content, begun);
  return true;
}

function entryOf({ path, folder, at, content: counts }: Found): Entry {
  const { rows } = folder;
  const row = folder.row(at);
  const type = rows.type(row);
  if (type === "other") throw new Fault(`"${path}" became something else while it was read`);
  if (type === "directory" || !counts) return { path, type, executable: false, size: 0 };
  const content = rows.content(row)!;
  if (type === "symlink") return { path, type, executable: false, size: 0, target: content };
  return { path, type, executable: rows.isExecutable(row), size: rows.size(row), digest: content };
}
