/** Which registry images go to. */

import { usageFault } from "../../model/errors.ts";
import type { Image, Registry } from "../../model/recipe.ts";
import { ciSystem, type Environment } from "./ci.ts";

/** A declared registry with its name. */
export interface NamedRegistry {
  readonly name: string;
  readonly registry: Registry;
}

/**
 * Chooses the destination: `--to`, else `IMAGES_CONTEXT`, else the one of the CI system, else the
 * only one.
 *
 * @throws {Fault} that lists the declared ones, where none can be chosen.
 */
export function chooseDestination(
  declared: ReadonlyMap<string, Registry>,
  to: string | undefined,
  env: Environment,
): NamedRegistry {
  const named = to ?? (env.IMAGES_CONTEXT || undefined);
  if (named !== undefined) {
    const registry = declared.get(named);
    if (registry !== undefined) return { name: named, registry };
    const source = to === undefined ? "IMAGES_CONTEXT" : "--to";
    throw usageFault(`${source} names the registry "${named}", which is not declared`, {
      next: listed(declared),
    });
  }
  const host = ciHost(env);
  const all = [...declared].map(([name, registry]) => ({ name, registry }));
  const matching = all.filter(({ registry }) => registry.host === host);
  if (matching.length === 1) return matching[0]!;
  if (all.length === 1) return all[0]!;
  throw usageFault("It is not clear which registry to push to", { next: listed(declared) });
}

function ciHost(env: Environment): string | undefined {
  switch (ciSystem(env)) {
    case "github":
      return "ghcr.io";
    case "gitlab":
      return env.CI_REGISTRY || "registry.gitlab.com";
    default:
      return undefined;
  }
}

function listed(declared: ReadonlyMap<string, Registry>): string {
  if (declared.size === 0) return "declare one under `registries` in images.ts";
  const names = [...declared].map(([name, { host, prefix }]) => `${name} (${host}/${prefix})`);
  return `use --to or IMAGES_CONTEXT with one of ${names.join(", ")}`;
}

/** Says whether a recipe lets its image go to a registry. */
export function isAllowed(image: Image, name: string): boolean {
  return image.common.registries?.includes(name) ?? true;
}

/** The repository of an image in a registry, in lower case. */
export function repositoryIn(registry: Registry, image: Image): string {
  const { repository } = image.common;
  return (registry.prefix === "" ? repository : `${registry.prefix}/${repository}`).toLowerCase();
}
