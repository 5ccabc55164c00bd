/** Making the state smaller: what nobody needs goes first, the oldest first. */

import type { Layout } from "./layout.ts";
import { removeIfThere } from "./atomic.ts";
import type { Owner, Stored, Survey } from "./survey.ts";

/** What is to go. Without any rule, all that no current record needs, earlier results too. */
export interface PruneRules {
  /** What was last written longer ago than this, in milliseconds. */
  readonly olderThan?: number;
  /** The oldest, until no more than these bytes are left. */
  readonly maxSize?: number;
  /** How many earlier results of each image and task stay, the last used ones. */
  readonly keep?: number;
  /** What current records need may go too, after all else. */
  readonly current: boolean;
}

/** Names that images.ts declares: their records are current. */
export interface Declared {
  readonly images: ReadonlySet<string>;
  readonly tasks: ReadonlySet<string>;
}

/** Things that go together: a loose file, or all records of a name and what only they need. */
export interface Removal {
  readonly why: "unneeded" | "earlier" | "undeclared" | "current";
  /** Name of the image or task whose records go. */
  readonly owner?: Owner;
  /** The records come first. */
  readonly files: readonly Stored[];
  /** Bytes of all files. */
  readonly bytes: number;
  /** When it was last written, in milliseconds since 1970. */
  readonly at: number;
}

/** What goes, in this order, and the bytes that are left. */
export interface PrunePlan {
  readonly removals: readonly Removal[];
  readonly left: number;
}

/** Says what goes by the rules. Changes nothing. */
export function planPrune(
  { owners, files, bytes }: Survey,
  declared: Declared,
  rules: PruneRules,
  now: number,
): PrunePlan {
  const users = new Map<string, number>();
  for (const { needs } of owners) {
    for (const path of needs) users.set(path, (users.get(path) ?? 0) + 1);
  }
  const byPath = new Map(files.map((file) => [file.path, file]));
  const removals: Removal[] = [];
  let left = bytes;
  const go = (removal: Removal) => {
    removals.push(removal);
    left -= removal.bytes;
  };
  const isRuled = rules.olderThan !== undefined || rules.maxSize !== undefined;
  const goes = (at: number) =>
    !isRuled || (rules.olderThan !== undefined && now - at > rules.olderThan) ||
    (rules.maxSize !== undefined && left > rules.maxSize);

  for (const file of [...files].sort(looseOrder)) {
    if (users.has(file.path)) continue;
    if (file.kind === "leftover" || goes(file.at)) {
      go({ why: "unneeded", files: [file], bytes: file.bytes, at: file.at });
    }
  }
  const oldestFirst = [...owners].sort((a, b) => a.at - b.at);
  const kept = keptResults(oldestFirst, rules.keep ?? 0);
  const reasonOf = (owner: Owner): Removal["why"] | undefined => {
    if (owner.role === "earlier") return kept.has(owner) ? undefined : "earlier";
    const names = owner.type === "image" ? declared.images : declared.tasks;
    if (owner.role === "latest" && !names.has(owner.name)) return "undeclared";
    return rules.current ? "current" : undefined;
  };
  const byReason = Map.groupBy(oldestFirst, reasonOf);
  for (const owner of ORDER.flatMap((why) => byReason.get(why) ?? [])) {
    if (!goes(owner.at)) continue;
    const own = [...owner.needs].filter((path) => {
      const others = users.get(path)! - 1;
      users.set(path, others);
      return others === 0 && byPath.has(path);
    }).map((path) => byPath.get(path)!);
    const all = [...owner.records, ...own];
    go({
      why: reasonOf(owner)!,
      owner,
      files: all,
      bytes: all.reduce((sum, file) => sum + file.bytes, 0),
      at: owner.at,
    });
  }
  return { removals, left };
}

/** The order in which owners go. */
const ORDER = ["earlier", "undeclared", "current"] as const;

/** The earlier results that stay for their number. */
function keptResults(oldestFirst: readonly Owner[], keep: number): ReadonlySet<Owner> {
  const earlier = oldestFirst.filter(({ role }) => role === "earlier").toReversed();
  const byName = Map.groupBy(earlier, ({ type, name }) => `${type} ${name}`);
  return new Set([...byName.values()].flatMap((all) => all.slice(0, keep)));
}

/** Leftovers first, then the oldest. */
function looseOrder(a: Stored, b: Stored): number {
  const leftover = (file: Stored) => Number(file.kind === "leftover");
  return leftover(b) - leftover(a) || a.at - b.at;
}

/**
 * Removes what a plan names, so that a kill at any instant leaves no name or record without what it
 * stands for.
 */
export async function prune(layout: Layout, { removals }: PrunePlan): Promise<void> {
  const images = removals.filter(({ owner }) => owner?.type === "image" && owner.role === "latest");
  if (images.length > 0) {
    await layout.setRefs(new Map(images.map(({ owner }) => [owner!.name, undefined])));
  }
  const files = removals.flatMap((removal) => removal.files);
  const isRecord = ({ kind }: Stored) => kind === "record";
  for (const { path } of files.filter(isRecord)) {
    removeIfThere(path);
    removeEmptyFolders(path);
  }
  for (const { path, kind } of files.filter((file) => !isRecord(file))) {
    if (kind === "leftover") removeFolder(path);
    else removeIfThere(path);
  }
}

/** Removes the folders that a record's name or work tree had, once nothing is in them. */
function removeEmptyFolders(record: string): void {
  const parts = record.split("/");
  const records = parts.lastIndexOf("records");
  for (let end = parts.length - 1; end > records + 2; end--) {
    try {
      Deno.removeSync(parts.slice(0, end).join("/"));
    } catch {
      return;
    }
  }
}

function removeFolder(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
