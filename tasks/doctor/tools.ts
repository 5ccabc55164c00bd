/** The programs that images are built with: whether they are there, and whether they work. */

import { which } from "../../lib/process/which.ts";
import { buildah, podman } from "../../plugins/dockerfile/engines/containers.ts";
import { buildx, classic } from "../../plugins/dockerfile/engines/docker.ts";
import type { Engine } from "../../plugins/dockerfile/engines/engine.ts";
import { PROGRAMS as BAZEL } from "../../plugins/rules_img/bazel/workspace.ts";
import { FEATURES } from "../../plugins/nix2container/nix_args.ts";
import { ask } from "./ask.ts";
import type { ImageNeed } from "./needs.ts";

/** A program, how to ask it, and what to do without it. */
interface Tool {
  readonly name: string;
  /** Names on PATH, the preferred first. */
  readonly programs: readonly string[];
  /** Arguments that make it tell its version. */
  readonly version: readonly string[];
  /** Arguments with which it ends well only if it works here. */
  readonly works?: readonly string[];
  /** It is asked whether it works only where an image needs it. */
  readonly onlyIfNeeded?: boolean;
  /** It is one of those that build Dockerfiles: another will do. */
  readonly engine?: Engine;
  /** What to do where it is missing. */
  readonly missing: string;
  /** What to do where it does not work. */
  readonly broken: string;
}

/** What was found of a program. */
export interface ToolState {
  readonly name: string;
  readonly programs: readonly string[];
  readonly found: boolean;
  /** Absolute path. */
  readonly path?: string;
  readonly version?: string;
  readonly usable: boolean;
  /** Why it is not usable, in its own words where it has any. */
  readonly why?: string;
  /** What to do about it. */
  readonly next?: string;
  /** It is one of those that build Dockerfiles: another will do. */
  readonly isEngine: boolean;
  /** What builds in its place meanwhile. */
  readonly otherwise?: string;
  /** Names of the images that it can build. */
  readonly neededBy: readonly string[];
}

const ELSEWHERE = "install it, or let CI build: `images build` takes from the registry what it has";

const TOOLS: readonly Tool[] = [
  {
    name: "git",
    programs: ["git"],
    version: ["--version"],
    missing: "install it: without it no revision is known, and `images affected` cannot tell",
    broken: "see what `git --version` says",
  },
  {
    name: "nix",
    programs: ["nix"],
    version: ["--version"],
    works: ["store", "ping", ...FEATURES],
    missing: ELSEWHERE,
    broken: "see what `nix store ping` says",
  },
  {
    name: "bazel",
    programs: BAZEL,
    version: ["--version"],
    // This starts its server, as a build would.
    works: ["info", "release"],
    onlyIfNeeded: true,
    missing: ELSEWHERE,
    broken: "see what `bazel info release` says",
  },
  {
    name: "docker",
    programs: ["docker"],
    version: ["--version"],
    engine: classic,
    missing: "install it",
    broken: "start its daemon, or name it in DOCKER_HOST",
  },
  {
    name: "docker buildx",
    programs: ["docker"],
    version: ["buildx", "version"],
    engine: buildx,
    missing: "install docker with its plugin buildx",
    broken: "see what `docker buildx inspect` says",
  },
  {
    name: "podman",
    programs: ["podman"],
    version: ["--version"],
    engine: podman,
    missing: "install it",
    broken: "see what `podman info` says",
  },
  {
    name: "buildah",
    programs: ["buildah"],
    version: ["--version"],
    engine: buildah,
    missing: "install it",
    broken: "see what `buildah --version` says",
  },
  {
    name: "attic",
    programs: ["attic"],
    version: ["--version"],
    missing: "install attic-client where recipes say `watchStore`; builds go on without it",
    broken: "see what `attic --version` says",
  },
];

/** Looks at all of them at once. */
export async function lookAtTools(
  images: readonly ImageNeed[],
  patience?: number,
): Promise<ToolState[]> {
  const states = await Promise.all(TOOLS.map((tool) => {
    const isUser = ({ tools }: ImageNeed) =>
      tools.flat().some((each) => tool.programs.includes(each));
    return lookAt(tool, images.filter(isUser), patience);
  }));
  const engine = states.find(({ isEngine, usable }) => isEngine && usable);
  if (engine === undefined) return states;
  return states.map((state) =>
    state.isEngine && !state.usable ? { ...state, otherwise: engine.name } : state
  );
}

async function lookAt(
  tool: Tool,
  users: readonly ImageNeed[],
  patience: number | undefined,
): Promise<ToolState> {
  const { name, programs } = tool;
  const isEngine = tool.engine !== undefined;
  const common = { name, programs, isEngine, neededBy: users.map((user) => user.name) };
  const path = programs.map((program) => which(program)).find((each) => each !== undefined);
  if (path === undefined) {
    return { ...common, found: false, usable: false, why: "not installed", next: tool.missing };
  }
  const told = await ask([path, ...tool.version], { patience });
  const version = /\d+(?:\.\d+)+[\w.+-]*/.exec(told.text)?.[0];
  const why = told.why ?? await complaintOf(tool, path, users, patience);
  return {
    ...common,
    found: true,
    path,
    ...(version === undefined ? {} : { version }),
    usable: why === undefined,
    ...(why === undefined ? {} : {
      why,
      // What cannot even tell its version is not all there.
      next: told.why === undefined ? tool.broken : tool.missing,
    }),
  };
}

/** Why a program that is there does not work, if it does not. */
async function complaintOf(
  { engine, works = engine?.question().slice(1), onlyIfNeeded }: Tool,
  path: string,
  users: readonly ImageNeed[],
  patience: number | undefined,
): Promise<string | undefined> {
  if (works === undefined || (onlyIfNeeded && users.length === 0)) return undefined;
  const { why, text } = await ask([path, ...works], { patience, cwd: users[0]?.folder });
  if (why !== undefined || engine === undefined) return why;
  const verdict = engine.verdict({ code: 0, stdout: text, stderr: [] });
  return verdict.works ? undefined : verdict.why;
}

/** Whether one of these programs works; what is not looked at counts as working. */
export function isUsable(program: string, states: readonly ToolState[]): boolean {
  const known = states.filter(({ programs }) => programs.includes(program));
  return known.length === 0 ? which(program) !== undefined : known.some(({ usable }) => usable);
}
