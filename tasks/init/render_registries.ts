/** Registries as members of an images.ts. */

import type { FoundRegistry, Publishing } from "./registries.ts";
import { key, quoted, WIDTH } from "./source_text.ts";

/** The label that names an image's repository. */
export const SOURCE_LABEL = "org.opencontainers.image.source";

/** A registry's member. */
export function registryLines({ name, address, visibility }: FoundRegistry): string[] {
  const head = `    ${key(name)}: registry(${quoted(address)}, {`;
  const line = `${head} visibility: "${visibility}" }),`;
  return line.length <= WIDTH ? [line] : [head, `      visibility: "${visibility}",`, "    }),"];
}

/** Tells whether images carry the address of their repository. */
export function usesLabel({ registries, source }: Publishing): boolean {
  return source !== undefined && registries.some(({ address }) => address.startsWith("ghcr.io/"));
}
