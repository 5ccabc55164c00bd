/** Making the state smaller: what nobody needs goes first, the oldest first. */

import type { Layout } from "./layout.ts";
import { removeIfThere } from "./atomic.ts";
import type { Owner, Stored, Survey } from "./survey.ts";

/** What is to go. Without any rule, all that no current record needs. */
export interface PruneRules {
  /** What was last written longer ago than this, in milliseconds. */
  readonly olderThan?: number;
  /** The oldest, until no more than these bytes are left. */
  readonly maxSize?: number;
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
  readonly why: "unneeded" | "undeclared" | "current";
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
  const goes = (at: number) =>
    (rules.olderThan === undefined && rules.maxSize === undefined) ||
    (rules.olderThan !== undefined && now - at > rules.olderThan) ||
    (rules.maxSize !== undefined && left > rules.maxSize);

  for (const file of [...files].sort(looseOrder)) {
    if (users.has(file.path)) continue;
    if (file.kind === "leftover" || goes(file.at)) {
      go({ why: "unneeded", files: [file], bytes: file.bytes, at: file.at });
    }
  }
  const isDeclared = ({ type, name }: Owner) =>
    (type === "image" ? declared.images : declared.tasks).has(name);
  const oldestFirst = [...owners].sort((a, b) => a.at - b.at);
  const undeclared = oldestFirst.filter((owner) => !isDeclared(owner));
  const current = rules.current ? oldestFirst.filter(isDeclared) : [];
  for (const owner of [...undeclared, ...current]) {
    if (!goes(owner.at)) continue;
    const own = [...owner.needs].filter((path) => {
      const others = users.get(path)! - 1;
      users.set(path, others);
      return others === 0 && byPath.has(path);
    }).map((path) => byPath.get(path)!);
    const all = [...owner.records, ...own];
    go({
      why: isDeclared(owner) ? "current" : "undeclared",
      owner,
      files: all,
      bytes: all.reduce((sum, file) => sum + file.bytes, 0),
      at: owner.at,
    });
  }
  return { removals, left };
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
  const images = removals.filter(({ owner }) => owner?.type === "image");
  if (images.length > 0) {
    await layout.setRefs(new Map(images.map(({ owner }) => [owner!.name, undefined])));
  }
  const files = removals.flatMap((removal) => removal.files);
  const isRecord = ({ kind }: Stored) => kind === "record";
  for (const { path } of files.filter(isRecord)) removeIfThere(path);
  for (const { path, kind } of files.filter((file) => !isRecord(file))) {
    if (kind === "leftover") removeFolder(path);
    else removeIfThere(path);
  }
}

function removeFolder(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
