/** What a recipe asks Nix for, and what is known of it without starting Nix. */

import { usageFault } from "../../lib/model/errors.ts";
import { parsePlatform } from "../../lib/model/platform.ts";

/** A flake's output, or an attribute of a plain Nix file. */
export type Installable = FlakeInstallable | FileInstallable;

/** `.#name`, `path:./x#name`, `github:owner/repository#name`. */
export interface FlakeInstallable {
  readonly kind: "flake";
  /** As it is handed to Nix, without the outputs after a `^`. */
  readonly text: string;
  /** The flake reference: what is before the `#`. */
  readonly reference: string;
  /** Attribute path; `default` where none was given. */
  readonly attribute: readonly string[];
  /** The output after a `^`; undefined where none is named, or all are. */
  readonly output?: string;
  /** Where a local flake is; undefined for one that Nix fetches. */
  readonly local?: {
    /** Path of the source, relative to images.ts or absolute. */
    readonly folder: string;
    /** Folder of flake.nix below it; empty where it is the same. */
    readonly subfolder: string;
    /** Whether everything in the folder is seen, whatever git tracks. */
    readonly everything: boolean;
    /** Whether the reference asks for the files of submodules. */
    readonly submodules: boolean;
  };
}

/** `-f file.nix -A attribute`. */
export interface FileInstallable {
  readonly kind: "file";
  readonly file: string;
  readonly attribute: readonly string[];
}

/** Architecture and variant in container words → Nix's. */
const CPUS: Readonly<Record<string, string>> = {
  amd64: "x86_64",
  arm64: "aarch64",
  "386": "i686",
  "arm/v7": "armv7l",
  "arm/v6": "armv6l",
  riscv64: "riscv64",
  ppc64le: "powerpc64le",
  s390x: "s390x",
  loong64: "loongarch64",
};

/** Nix's system for a platform: `x86_64-linux` for `linux/amd64`. */
export function systemOf(platform: string): string {
  const { os, architecture, variant } = parsePlatform(platform);
  const cpu = CPUS[variant === undefined ? architecture : `${architecture}/${variant}`];
  if (cpu === undefined) {
    throw usageFault(`Nix has no system for the platform ${platform}`, {
      next: `use one of ${Object.keys(CPUS).map((each) => `linux/${each}`).join(", ")}`,
    });
  }
  return `${cpu}-${os}`;
}

/**
 * Reads an installable.
 *
 * @throws {Fault} of usage when it is none.
 */
export function parseInstallable(text: string): Installable {
  const trimmed = text.trim();
  if (/^(?:-f|--file)(?:\s|=)/.test(trimmed)) return parseFile(trimmed);
  if (trimmed === "" || trimmed.startsWith("-")) throw unreadable(text);
  const hash = trimmed.indexOf("#");
  const reference = (hash < 0 ? trimmed : trimmed.slice(0, hash)) || ".";
  const [, fragment = "", outputs = ""] =
    /^(.*?)(?:\^([\w+.?=*,-]*))?$/s.exec(hash < 0 ? "" : trimmed.slice(hash + 1)) ?? [];
  if (outputs.includes(",")) throw severalOutputs(text);
  const attribute = parseAttribute(decodeURIComponent(fragment), text);
  const local = localPart(reference);
  return {
    kind: "flake",
    text: fragment === "" ? reference : `${reference}#${fragment}`,
    reference,
    attribute: attribute.length === 0 ? ["default"] : attribute,
    ...(outputs === "" || outputs === "*" ? {} : { output: outputs }),
    ...(local === undefined ? {} : { local }),
  };
}

/** Whether a fetched flake is named by content: another evaluation cannot give another result. */
export function isLocked(reference: string): boolean {
  return /[?&](?:rev|narHash)=/.test(reference) ||
    /^[a-z]+:[^?]*\/[0-9a-f]{40}(?:\?|$)/.test(reference);
}

function parseFile(text: string): FileInstallable {
  const words = text.replace(/^(-f|--file)=/, "$1 ").split(/\s+/).slice(1);
  const [file, ...rest] = words;
  const attribute = rest[0] === "-A" || rest[0] === "--attr" ? rest.slice(1) : rest;
  if (file === undefined || file.startsWith("-") || attribute.length > 1) throw unreadable(text);
  return { kind: "file", file, attribute: parseAttribute(attribute[0] ?? "", text) };
}

/** `a.b."c.d"` as its parts. */
function parseAttribute(text: string, whole: string): string[] {
  if (text === "") return [];
  const parts = text.replace(/^\./, "").match(/"[^"]*"|[^."]+/g) ?? [];
  if (parts.join(".") !== text.replace(/^\./, "")) throw unreadable(whole);
  return parts.map((part) => part.startsWith('"') ? part.slice(1, -1) : part);
}

/**
 * A path, `path:`, or `git+file:`. Whatever has another scheme or is a registry's name is not local,
 * nor is a commit or branch that is not checked out.
 */
function localPart(reference: string): FlakeInstallable["local"] {
  const [, scheme, path = "", query = ""] =
    /^(path:|git\+file:(?:\/\/)?)?([^?]*)(?:\?(.*))?$/.exec(reference) ?? [];
  if (scheme === undefined && !/^(?:\.|\/)/.test(path)) return undefined;
  const settings = new URLSearchParams(query);
  if (settings.has("rev") || settings.has("ref")) return undefined;
  return {
    folder: path || ".",
    subfolder: settings.get("dir") ?? "",
    everything: scheme === "path:",
    submodules: /^(?:1|true)$/.test(settings.get("submodules") ?? ""),
  };
}

function severalOutputs(text: string): Error {
  return usageFault(`The installable "${text}" names several outputs, and an image is one`, {
    next: "name the output that is the image.json, or none for the default one",
  });
}

function unreadable(text: string): Error {
  return usageFault(`Cannot read the installable "${text}"`, {
    next: 'write it as ".#name", "path:./folder#name" or "-f file.nix -A name"',
  });
}
