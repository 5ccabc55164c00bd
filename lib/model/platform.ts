/** Platforms as `os/architecture[/variant]`, normalised as container tools do. */

import { usageFault } from "./errors.ts";

/** A platform's parts. */
export interface Platform {
  /** Operating system, e.g. `linux`. */
  readonly os: string;
  /** Architecture in Go's words, e.g. `amd64`. */
  readonly architecture: string;
  /** Variant, e.g. `v7`; left out where it is the architecture's default. */
  readonly variant?: string;
}

const ALIASES: Record<string, string> = {
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  i386: "386",
  i686: "386",
  armhf: "arm/v7",
  armel: "arm/v6",
};

/**
 * Reads a platform; aliases such as `linux/x86_64` become their usual names.
 *
 * @throws {Fault} when the text is not `os/architecture[/variant]`.
 */
export function parsePlatform(text: string): Platform {
  const [os = "", rawArchitecture = "", rawVariant, ...rest] = text.toLowerCase().split("/");
  const known = ALIASES[rawArchitecture] ?? rawArchitecture;
  const [architecture = "", aliasVariant] = known.split("/");
  if (rest.length > 0 || !/^[a-z0-9]+$/.test(os) || !/^[a-z0-9_]+$/.test(architecture)) {
    throw usageFault(`Cannot read the platform "${text}"`, {
      next: 'write it as "linux/amd64" or "linux/arm/v7"',
    });
  }
  const variant = rawVariant ?? aliasVariant;
  const isDefault = variant === undefined || (architecture === "arm64" && variant === "v8") ||
    (architecture === "amd64" && variant === "v1");
  return isDefault ? { os, architecture } : { os, architecture, variant };
}

/** Writes a platform as `os/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** The Linux platform of this machine's processor. */
export function hostPlatform(): string {
  return Deno.build.arch === "aarch64" ? "linux/arm64" : "linux/amd64";
}
