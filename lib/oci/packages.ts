/** Installed packages, as Alpine's, Debian's and Nix's files tell. */

import type { ImageFilesystem } from "./filesystem.ts";

/** An installed package. */
export interface Package {
  /** Whose package it is. */
  readonly manager: "apk" | "dpkg" | "nix";
  readonly name: string;
  /** Empty where its name does not tell, as with some store paths of Nix. */
  readonly version: string;
  /** Of a store path of Nix, its hash: another one is another build. */
  readonly build?: string;
}

/** Where apk has its database; newer releases have it below /usr. */
const APK_DATABASE = "/lib/apk/db/installed";

/** Where dpkg has its database. */
const DPKG_DATABASE = "/var/lib/dpkg/status";

/** Where images without dpkg itself keep one file for each package, as distroless does. */
const DPKG_FOLDER = "/var/lib/dpkg/status.d";

const NIX_STORE = "/nix/store";

/** Says whether a file is one of those that tell what is installed. */
export function isPackageDatabase(path: string): boolean {
  return path.replace(/^\/usr\/lib\//, "/lib/") === APK_DATABASE || path === DPKG_DATABASE ||
    (path.startsWith(`${DPKG_FOLDER}/`) && !path.endsWith(".md5sums"));
}

/** Reads such a file. */
export function parsePackages(path: string, text: string): Package[] {
  const manager = path.includes("/apk/") ? "apk" : "dpkg";
  return text.split(/\n\n+/).flatMap((paragraph) => {
    const found = manager === "apk" ? apkPackage(paragraph) : dpkgPackage(paragraph);
    return found === undefined ? [] : [found];
  });
}

/**
 * What is installed in an image whose layers were listed with contents.
 *
 * @returns sorted by manager, name and version.
 */
export function packagesOf(filesystem: ImageFilesystem): Package[] {
  const databases = [
    APK_DATABASE,
    DPKG_DATABASE,
    ...filesystem.children(DPKG_FOLDER).map((name) => `${DPKG_FOLDER}/${name}`),
  ];
  const packages = [
    ...databases.flatMap((path) => filesystem.resolve(path)?.packages ?? []),
    ...filesystem.children(NIX_STORE).flatMap((name) => storePackage(name) ?? []),
  ];
  return packages.sort((a, b) => compare(sortKey(a), sortKey(b)));
}

/**
 * @see https://wiki.alpinelinux.org/wiki/Apk_spec
 */
function apkPackage(paragraph: string): Package | undefined {
  const name = /^P:(.+)$/m.exec(paragraph)?.[1];
  const version = /^V:(.+)$/m.exec(paragraph)?.[1];
  return name === undefined ? undefined : { manager: "apk", name, version: version ?? "" };
}

/** A paragraph without a status is of an image without dpkg, where everything is installed. */
function dpkgPackage(paragraph: string): Package | undefined {
  const name = field(paragraph, "Package");
  const status = field(paragraph, "Status");
  if (name === undefined || (status !== undefined && !status.endsWith(" installed"))) return;
  return { manager: "dpkg", name, version: field(paragraph, "Version") ?? "" };
}

function field(paragraph: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*)$`, "mi").exec(paragraph)?.[1]?.trim();
}

/**
 * A store path such as `…-bash-5.2-p15`: the version starts at the first dash that no letter
 * follows, as `builtins.parseDrvName` has it.
 */
function storePackage(entry: string): Package | undefined {
  const [, build, rest] = /^([0-9a-z]{32})-(.+)$/.exec(entry) ?? [];
  if (build === undefined || rest === undefined || rest.endsWith(".drv")) return undefined;
  const [, name = rest, version = ""] = /^(.*?)-([^a-zA-Z].*)$/.exec(rest) ?? [];
  return { manager: "nix", name, version, build };
}

function sortKey({ manager, name, version, build = "" }: Package): string {
  return [manager, name, version, build].join("\0");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
