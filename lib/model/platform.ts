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

const ALIASES: ReadonlyMap<string, string> = new Map([
  ["x86_64", "amd64"],
  ["x86-64", "amd64"],
  ["aarch64", "arm64"],
  ["i386", "386"],
  ["i686", "386"],
  ["armhf", "arm/v7"],
  ["armel", "arm/v6"],
]);

/** What an architecture is without a variant; of these only `arm` is written with it. */
const DEFAULT_VARIANTS: ReadonlyMap<string, string> = new Map([
  ["amd64", "v1"],
  ["arm", "v7"],
  ["arm64", "v8"],
]);

/** What stands alone for a platform of Linux. */
const ARCHITECTURES = new Set([
  ...ALIASES.keys(),
  ..."amd64 arm64 arm 386 ppc64le s390x riscv64 loong64 mips64le mips64".split(" "),
]);

/**
 * Reads a platform; aliases such as `linux/x86_64` become their usual names. An architecture alone
 * is that of Linux.
 *
 * @see https://pkg.go.dev/github.com/containerd/platforms#Normalize
 * @throws {Fault} when the text is not `os/architecture[/variant]`.
 */
export function parsePlatform(text: string): Platform {
  const lower = text.toLowerCase();
  const full = ARCHITECTURES.has(lower.split("/", 1)[0]!) ? `linux/${lower}` : lower;
  const [os = "", rawArchitecture = "", rawVariant, ...rest] = full.split("/");
  const known = ALIASES.get(rawArchitecture) ?? rawArchitecture;
  const [architecture = "", aliasVariant] = known.split("/");
  const written = rawVariant ?? aliasVariant;
  const isPlatform = rest.length === 0 && /^[a-z0-9]+$/.test(os) &&
    /^[a-z0-9_]+$/.test(architecture) && (written === undefined || /^[a-z0-9.]+$/.test(written));
  if (!isPlatform) {
    throw usageFault(`Cannot read the platform "${text}"`, {
      next: 'write it as "linux/amd64" or "linux/arm/v7"',
    });
  }
  const usual = DEFAULT_VARIANTS.get(architecture);
  const named = usual !== undefined && /^[0-9]$/.test(written ?? "") ? `v${written}` : written;
  if (architecture === "arm") return { os, architecture, variant: named ?? usual! };
  return named === undefined || named === usual
    ? { os, architecture }
    : { os, architecture, variant: named };
}

/**
 * The platforms whose programs run on one, the best first: itself, and lesser variants.
 *
 * @param text as {@link formatPlatform} writes it.
 */
export function compatiblePlatforms(text: string): readonly string[] {
  const { os, architecture, variant } = parsePlatform(text);
  const lowest = architecture === "arm" ? 5 : architecture === "amd64" ? 1 : undefined;
  const level = /^v([0-9])$/.exec(variant ?? "")?.[1];
  if (lowest === undefined || level === undefined) return [text];
  const levels = Array.from(
    { length: Math.max(1, Number(level) - lowest + 1) },
    (_, below) => Number(level) - below,
  );
  return levels.map((each) => formatPlatform(parsePlatform(`${os}/${architecture}/v${each}`)));
}

/** Says whether {@link parsePlatform} can read a text. */
export function isPlatform(text: string): boolean {
  try {
    parsePlatform(text);
    return true;
  } catch {
    return false;
  }
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
