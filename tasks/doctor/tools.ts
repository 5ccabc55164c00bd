/** The programs that images are built with: whether they are there, and whether they work. */

import { asFault } from "../../lib/model/errors.ts";
import { runProcess } from "../../lib/process/run.ts";
import { which } from "../../lib/process/which.ts";

/** How long a program may take to answer, in milliseconds. */
const PATIENCE = 20_000;

/** A program, how to ask it, and what to do without it. */
interface Tool {
  readonly name: string;
  /** Names on PATH, the preferred first. */
  readonly programs: readonly string[];
  /** Arguments that make it tell its version. */
  readonly version: readonly string[];
  /** Arguments with which it ends well only if it works here. */
  readonly works?: readonly string[];
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
  /** What to do, or to run otherwise. */
  readonly next?: string;
}

const ENGINES = "podman or buildah will do instead, and a Dockerfile without RUN needs none of them";

const TOOLS: readonly Tool[] = [
  {
    name: "git",
    programs: ["git"],
    version: ["--version"],
    missing: "install git; without it no revision is known, and `affected` cannot tell",
    broken: "see what `git --version` says",
  },
  {
    name: "nix",
    programs: ["nix"],
    version: ["--version"],
    works: [
      ...["--extra-experimental-features", "nix-command flakes"],
      ...["eval", "--offline", "--expr", "1"],
    ],
    missing: "install nix from https://nixos.org/download, or let CI build and `build` take it from there",
    broken: "see what `nix eval --expr 1` says",
  },
  {
    name: "bazel",
    programs: ["bazelisk", "bazel"],
    version: ["--version"],
    missing: "install bazelisk, or let CI build and `build` take it from there",
    broken: "see what `bazel --version` says",
  },
  {
    name: "docker",
    programs: ["docker"],
    version: ["--version"],
    works: ["version", "--format", "{{.Server.Version}}"],
    missing: `install docker; ${ENGINES}`,
    broken: `start the docker daemon; ${ENGINES}`,
  },
  {
    name: "docker buildx",
    programs: ["docker"],
    version: ["buildx", "version"],
    missing: `install docker with buildx; ${ENGINES}`,
    broken: `install the buildx plugin; ${ENGINES}`,
  },
  {
    name: "podman",
    programs: ["podman"],
    version: ["--version"],
    works: ["info"],
    missing: "install podman, or use docker or buildah",
    broken: "see what `podman info` says",
  },
  {
    name: "buildah",
    programs: ["buildah"],
    version: ["--version"],
    works: ["info"],
    missing: "install buildah, or use docker or podman",
    broken: "see what `buildah info` says",
  },
  {
    name: "attic",
    programs: ["attic"],
    version: ["--version"],
    missing: "install attic-client where recipes say `watchStore`; without it builds go on as well",
    broken: "see what `attic --version` says",
  },
  {
    name: "skopeo",
    programs: ["skopeo"],
    version: ["--version"],
    missing: "nothing needs it: images speaks to registries itself",
    broken: "nothing needs it: images speaks to registries itself",
  },
];

/** Looks at all of them at once. */
export function lookAtTools(): Promise<ToolState[]> {
  return Promise.all(TOOLS.map(lookAt));
}

async function lookAt(tool: Tool): Promise<ToolState> {
  const { name, programs } = tool;
  const path = programs.map((program) => which(program)).find((each) => each !== undefined);
  if (path === undefined) {
    return { name, programs, found: false, usable: false, why: "not installed", next: tool.missing };
  }
  const told = await ask(path, tool.version);
  const version = /\d+(?:\.\d+)+[\w.+-]*/.exec(told.text)?.[0];
  const works = told.why === undefined && tool.works !== undefined
    ? await ask(path, tool.works)
    : told;
  return {
    name,
    programs,
    found: true,
    path,
    ...(version === undefined ? {} : { version }),
    usable: works.why === undefined,
    ...(works.why === undefined ? {} : { why: works.why, next: tool.broken }),
  };
}

async function ask(
  path: string,
  args: readonly string[],
): Promise<{ readonly text: string; readonly why?: string }> {
  const signal = AbortSignal.timeout(PATIENCE);
  const complaints: string[] = [];
  try {
    const { code, stdout } = await runProcess([path, ...args], {
      capture: true,
      allowFailure: true,
      signal,
      log: (line) => complaints.push(line),
    });
    if (code === 0) return { text: stdout };
    const last = complaints.filter((line) => line.trim() !== "").at(-1);
    return { text: stdout, why: last?.trim().slice(0, 200) ?? `it ended with status ${code}` };
  } catch (error) {
    const why = signal.aborted ? `no answer within ${PATIENCE / 1000} s` : asFault(error).message;
    return { text: "", why };
  }
}
