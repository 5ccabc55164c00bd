/**
 * Since when engines know parts of Dockerfiles. Docker has its frontend's version (as `# syntax=`
 * names it, or the one inside BuildKit), podman has buildah inside.
 *
 * @see https://docs.docker.com/reference/dockerfile/ for the versions of the frontend
 * @see https://github.com/containers/buildah/blob/main/CHANGELOG.md
 */

import type { Demand, Feature } from "./demands.ts";

/** Major and minor. */
export type Version = readonly [number, number];

interface Since {
  /** Of the Dockerfile frontend; undefined: all that are in use. */
  readonly frontend?: Version;
  /** Of the frontend's `-labs` variant, where it came there first. */
  readonly labs?: Version;
  /** Of BuildKit itself, where the frontend only passes it on. */
  readonly buildKit?: Version;
  /** Of buildah; `never` where no version that there is knows it; undefined: all in use. */
  readonly buildah?: Version | "never";
}

const SINCE: Readonly<Record<Feature, Since>> = {
  "archive-owner": { buildKit: [0, 23], buildah: "never" },
  "chmod": {},
  "chmod-words": { frontend: [1, 14], buildah: "never" },
  "device": { frontend: [1, Infinity], labs: [1, 14], buildah: "never" },
  "exclude": { frontend: [1, 19], labs: [1, 7], buildah: [1, 38] },
  "expansion": { frontend: [1, 7], buildah: [1, 45] },
  "folder-base": { buildah: "never" },
  "folder-context": { frontend: [1, 4] },
  "heredoc": { frontend: [1, 4], buildah: [1, 33] },
  "link": { frontend: [1, 4], buildah: [1, 41] },
  "mount": { frontend: [1, 2] },
  "network": { frontend: [1, 3] },
  "onbuild-from": { frontend: [1, 11] },
  "parents": { frontend: [1, 20], labs: [1, 7], buildah: [1, 40] },
  "secret": {},
  "secret-env": { frontend: [1, 10], buildah: [1, 44] },
  "security": { frontend: [1, 20], labs: [1, 0], buildah: "never" },
  "start-interval": { frontend: [1, 6], buildah: [1, 37] },
  "unpack": { frontend: [1, 17], buildah: "never" },
};

/** What an engine lacks, and what gives it to it. */
export interface Lack {
  readonly demand: Demand;
  /** As an imperative; undefined where nothing does. */
  readonly remedy?: string;
}

/** The first demand that a buildah of this version does not know; without a version it knows all. */
export function lackOfBuildah(
  demands: readonly Demand[],
  version: string | undefined,
): Lack | undefined {
  const has = versionOf(version);
  for (const demand of demands) {
    const since = SINCE[demand.feature].buildah;
    if (since === "never") return { demand };
    if (since === undefined || has === undefined || !isBefore(has, since)) continue;
    return { demand, remedy: `update buildah to ${since.join(".")} or later` };
  }
  return undefined;
}

/**
 * The first demand that BuildKit with this frontend does not know.
 *
 * @param buildKit version of BuildKit; without one it knows all.
 * @param syntax the frontend that the Dockerfile names; the default is BuildKit's own.
 */
export function lackOfBuildKit(
  demands: readonly Demand[],
  buildKit: string | undefined,
  syntax: string | undefined,
): Lack | undefined {
  const inside = versionOf(buildKit);
  const frontend = syntax === undefined ? frontendInside(inside) : frontendNamed(syntax);
  for (const demand of demands) {
    const since = SINCE[demand.feature];
    if (since.buildKit !== undefined && inside !== undefined && isBefore(inside, since.buildKit)) {
      return { demand, remedy: `update BuildKit to ${since.buildKit.join(".")} or later` };
    }
    if (frontend === undefined || since.frontend === undefined) continue;
    const needed = frontend.isLabs ? since.labs ?? since.frontend : since.frontend;
    if (!isBefore(frontend.version, needed)) continue;
    const tag = since.frontend[1] === Infinity ? "1-labs" : "1";
    return { demand, remedy: `begin the Dockerfile with "# syntax=docker/dockerfile:${tag}"` };
  }
  return undefined;
}

/**
 * The BuildKit inside a Docker engine.
 *
 * @see https://docs.docker.com/engine/release-notes/
 */
export function buildKitInDocker(docker: string): string | undefined {
  const version = versionOf(docker);
  if (version === undefined) return undefined;
  const [, found] = INSIDE.findLast(([since]) => !isBefore(version, since)) ?? [];
  return found;
}

const INSIDE: readonly (readonly [docker: Version, buildKit: string])[] = [
  [[18, 9], "0.3"],
  [[20, 10], "0.8"],
  [[23, 0], "0.10"],
  [[24, 0], "0.11"],
  [[25, 0], "0.12"],
  [[26, 0], "0.13"],
  [[27, 0], "0.14"],
  [[27, 1], "0.15"],
  [[27, 3], "0.16"],
  [[27, 4], "0.17"],
  [[28, 0], "0.20"],
  [[28, 1], "0.21"],
  [[28, 2], "0.22"],
  [[28, 3], "0.23"],
  [[28, 4], "0.24"],
  [[28, 5], "0.25"],
  [[29, 0], "0.26"],
];

interface Frontend {
  readonly version: Version;
  readonly isLabs: boolean;
}

/** BuildKit 0.10 has Dockerfile 1.4 inside, and each minor version after it the next. */
function frontendInside(buildKit: Version | undefined): Frontend | undefined {
  if (buildKit === undefined || buildKit[0] > 0) return undefined;
  return { version: [1, Math.max(buildKit[1] - 6, 2)], isLabs: false };
}

/** The frontend of a `# syntax=` line; undefined where it may know everything. */
function frontendNamed(syntax: string): Frontend | undefined {
  const match =
    /^(?:docker\.io\/)?docker\/dockerfile:(?:(1(?:\.\d+)?)(?:\.\d+)?|latest)(-labs)?(?:@|$)/
      .exec(syntax.trim());
  if (match === null) return undefined;
  const [, written = "1", labs] = match;
  const [, minor] = written.split(".");
  // "1" is the newest that is stable.
  const version: Version = minor === undefined ? [1, Number.MAX_VALUE] : [1, Number(minor)];
  return { version, isLabs: labs !== undefined };
}

function versionOf(text: string | undefined): Version | undefined {
  const match = /^v?(\d+)\.(\d+)/.exec(text ?? "");
  if (match === null) return undefined;
  const [, major, minor] = match;
  // Debian's docker says v0.0.0+unknown.
  return major === "0" && minor === "0" ? undefined : [Number(major), Number(minor)];
}

function isBefore([major, minor]: Version, [otherMajor, otherMinor]: Version): boolean {
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
