/** Where remote images lie, and whether what is made of them may be public. */

import { Fault, type FaultKind } from "../../model/errors.ts";
import type { Image, Project, Registry } from "../../model/recipe.ts";
import type { NamedRegistry } from "./destination.ts";

/** Whether a registry may show what it holds to anybody: one that does not say so counts as public. */
export function countsAsPublic({ registry }: NamedRegistry): boolean {
  return registry.visibility !== "private";
}

/** How a destination is called in messages. */
export function describeDestination({ name, registry }: NamedRegistry): string {
  return registry.visibility === "public"
    ? `the public ${name}`
    : `${name}, which declares no visibility and so counts as public,`;
}

/**
 * The declared registry that a repository lies in: the one with the longest prefix; among equals the
 * destination, then a public one.
 */
export function declaredRegistryOf(
  registries: ReadonlyMap<string, Registry>,
  { host, repository }: { readonly host: string; readonly repository: string },
  destination: NamedRegistry,
): NamedRegistry | undefined {
  const rank = ({ name, registry }: NamedRegistry) =>
    2 * Number(name === destination.name) + Number(registry.visibility === "public");
  return [...registries]
    .map(([name, registry]) => ({ name, registry }))
    .filter(({ registry }) => registry.host === host && covers(registry.prefix, repository))
    .sort((a, b) => b.registry.prefix.length - a.registry.prefix.length || rank(b) - rank(a))[0];
}

/** A repository's path below a registry's prefix. */
export function pathBelow({ prefix }: Registry, repository: string): string {
  return prefix === "" || repository === prefix ? repository : repository.slice(prefix.length + 1);
}

function covers(prefix: string, repository: string): boolean {
  return prefix === "" || repository === prefix || repository.startsWith(`${prefix}/`);
}

/**
 * Refuses an image for a public registry that needs an image which may only go to private ones.
 *
 * @param needs every image it needs, also through others.
 * @throws {Fault} that names both.
 */
export function refusePrivateNeeds(
  project: Project,
  image: Image,
  needs: readonly Image[],
  destination: NamedRegistry,
): void {
  if (!countsAsPublic(destination)) return;
  for (const need of needs) {
    const names = need.common.registries ?? [...project.registries.keys()];
    const isPrivate = names.length > 0 && !names.includes(destination.name) &&
      names.every((name) => project.registries.get(name)?.visibility !== "public");
    if (!isPrivate) continue;
    const why = `needs "${need.name}", which only goes to ${names.join(", ")}`;
    throw privateContentFault(image, destination, why, "usage");
  }
}

/** The fault of an image that would carry something private into a public registry. */
export function privateContentFault(
  image: Image,
  destination: NamedRegistry,
  why: string,
  kind: FaultKind,
): Fault {
  const remedy = destination.registry.visibility === "public"
    ? ""
    : `, or declare ${destination.name} with \`visibility: "private"\` if it is`;
  return new Fault(`Image "${image.name}" for ${describeDestination(destination)} ${why}`, {
    kind,
    where: image.name,
    ...(image.place === undefined ? {} : { place: image.place }),
    next: "publish what it is made of too, or restrict it with `registries` in images.ts" + remedy,
  });
}
