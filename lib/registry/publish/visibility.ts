/** What is public must not be made of what only a private registry holds. */

import { usageFault } from "../../model/errors.ts";
import type { Image, Project, Registry } from "../../model/recipe.ts";
import { parseReference } from "../../model/reference.ts";
import type { NamedRegistry } from "./destination.ts";

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
  if (destination.registry.visibility !== "public") return;
  for (const need of needs) {
    const names = need.common.registries ?? [...project.registries.keys()];
    const isPrivate = names.length > 0 &&
      names.every((name) => project.registries.get(name)?.visibility === "private");
    if (!isPrivate) continue;
    throw refusal(
      image,
      destination,
      `needs "${need.name}", which only goes to ${names.join(", ")}`,
    );
  }
}

/**
 * Refuses an image for a public registry whose base lies in a declared private one.
 *
 * @throws {Fault} that names both.
 */
export function refusePrivateBases(
  project: Project,
  image: Image,
  bases: readonly string[],
  destination: NamedRegistry,
): void {
  if (destination.registry.visibility !== "public") return;
  for (const base of bases) {
    const { host, repository } = parseReference(base);
    const holders = [...project.registries].filter(([, registry]) =>
      holds(registry, host, repository)
    );
    if (holders.length === 0 || holders.some(([, { visibility }]) => visibility === "public")) {
      continue;
    }
    throw refusal(
      image,
      destination,
      `is based on ${base}, which is in the private ${holders[0]![0]}`,
    );
  }
}

function holds(registry: Registry, host: string, repository: string): boolean {
  return registry.host === host &&
    (registry.prefix === "" || repository.startsWith(`${registry.prefix}/`));
}

function refusal(image: Image, { name }: NamedRegistry, why: string) {
  return usageFault(`Image "${image.name}" for the public ${name} ${why}`, {
    ...(image.place === undefined ? {} : { place: image.place }),
    next: "publish what it is made of too, or restrict it with `registries` in images.ts",
  });
}
