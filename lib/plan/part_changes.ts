/** What changed in a file of which only a part counts, in a few words. */

import type { ProjectedPart } from "../model/projection.ts";

/** The most parts that are named. */
const NAMED = 5;

/** Names the parts that were changed, added or removed: packages, or else what refers to them. */
export function changedParts(
  before: readonly ProjectedPart[],
  now: readonly ProjectedPart[],
): string {
  const old = new Set(before.map(idOf));
  const current = new Set(now.map(idOf));
  const gone = before.filter((part) => !current.has(idOf(part)));
  const come = now.filter((part) => !old.has(idOf(part)));
  const names = new Map([...gone, ...come].map((part) => [`${part.type} ${part.name}`, part]));
  // A package that changes is named; that those it is used by refer to another one follows.
  const byRank = [...names.values()].sort((a, b) => rankOf(a) - rankOf(b));
  const [first] = byRank;
  const shown = byRank.filter((part) => rankOf(part) < 2 || rankOf(part) === rankOf(first!));
  const texts = shown.map((part) =>
    describe(part, gone.filter(isSame(part)), come.filter(isSame(part)))
  );
  const more = texts.length > NAMED ? [`and ${texts.length - NAMED} more`] : [];
  return [...texts.slice(0, NAMED), ...more].join(", ");
}

function idOf({ type, name, version = "", digest }: ProjectedPart): string {
  return JSON.stringify([type, name, version, digest]);
}

function isSame(part: ProjectedPart): (other: ProjectedPart) => boolean {
  return (other) => other.type === part.type && other.name === part.name;
}

function rankOf({ type }: ProjectedPart): number {
  return ["setting", "package", "field", "member"].indexOf(type);
}

function describe(
  { type, name }: ProjectedPart,
  gone: readonly ProjectedPart[],
  come: readonly ProjectedPart[],
): string {
  const [old, now] = [versionsOf(gone), versionsOf(come)];
  if (type === "field") return `field ${name}`;
  if (type === "setting") return name;
  if (gone.length === 0) return `${label(name, now)} added`;
  if (come.length === 0) return `${label(name, old)} removed`;
  return old === now ? `${label(name, now)} changed` : `${name} ${old} → ${now}`;
}

function versionsOf(parts: readonly ProjectedPart[]): string {
  return [...new Set(parts.flatMap(({ version }) => version ?? []))].sort().join(" and ");
}

function label(name: string, versions: string): string {
  return versions === "" ? name : `${name} ${versions}`;
}
