/** What differs between the installed packages of two images. */

import type { Package } from "./packages.ts";

/** A package of which other versions, or other builds of the same version, are there. */
export interface PackageChange {
  readonly manager: Package["manager"];
  readonly name: string;
  readonly change: "added" | "removed" | "changed" | "rebuilt";
  /** Versions in the first image. */
  readonly before: readonly string[];
  /** Versions in the second image. */
  readonly after: readonly string[];
}

/**
 * Compares packages by name. A package of Nix whose version is the same and whose store path is not
 * is `rebuilt`.
 *
 * @returns sorted by manager and name.
 */
export function comparePackages(
  before: readonly Package[],
  after: readonly Package[],
): PackageChange[] {
  const old = byName(before);
  const now = byName(after);
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((key) => {
    const was = old.get(key) ?? [];
    const is = now.get(key) ?? [];
    const { manager, name } = (is[0] ?? was[0])!;
    const change = changeOf(was, is);
    if (change === undefined) return [];
    return [{ manager, name, change, before: versions(was), after: versions(is) }];
  });
}

function byName(packages: readonly Package[]): Map<string, Package[]> {
  const found = new Map<string, Package[]>();
  for (const each of packages) {
    const key = `${each.manager} ${each.name}`;
    found.set(key, [...found.get(key) ?? [], each]);
  }
  return found;
}

function changeOf(
  was: readonly Package[],
  is: readonly Package[],
): PackageChange["change"] | undefined {
  if (was.length === 0) return "added";
  if (is.length === 0) return "removed";
  if (versions(was).join() !== versions(is).join()) return "changed";
  return builds(was).join() === builds(is).join() ? undefined : "rebuilt";
}

function versions(packages: readonly Package[]): string[] {
  return packages.map(({ version }) => version).sort();
}

function builds(packages: readonly Package[]): string[] {
  return packages.map(({ build = "" }) => build).sort();
}
