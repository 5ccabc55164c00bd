/** What every engine is asked for, and what it answers: one small adapter implements it for each. */

import type { LocalImage } from "../../../lib/model/image.ts";
import type { Demand } from "./demands.ts";
import type { Lack } from "./features.ts";
import type { EngineImage } from "./result.ts";
import type { Ended, Tooling } from "./tooling.ts";

/** Names of engines, as people read them. */
export type EngineName = "docker buildx" | "podman" | "buildah" | "docker";

/** Whether an engine works on this machine. */
export type Probe =
  | {
    readonly works: true;
    /** Version that decides what it can do, e.g. `1.28.2`; undefined where it does not tell. */
    readonly version?: string;
  }
  | {
    readonly works: false;
    /** Why it does not, without a final period. */
    readonly why: string;
  };

/** What is built, in words that all engines share. Paths are absolute. */
export interface EngineJob {
  /** The Dockerfile that is handed over. */
  readonly dockerfile: string;
  /** An ignore file that hides nothing: what is in the context is meant to be there. */
  readonly ignoreFile: string;
  readonly context: string;
  readonly platform: string;
  readonly target?: string;
  /** `NAME=VALUE`, or `NAME` for a value that is in the environment. */
  readonly buildArgs: readonly string[];
  /** Arguments that hand over named contexts. */
  readonly contexts: readonly string[];
  readonly secrets: readonly Secret[];
  readonly ssh: readonly string[];
  readonly network?: string;
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  /** Nothing that is kept of earlier builds is used. */
  readonly noCache: boolean;
  /** A path in the build's scratch folder where nothing is yet. */
  readonly out: string;
  /** Runs a step of the build; that it fails is the build's fault. */
  readonly run: (
    command: readonly string[],
    env?: Readonly<Record<string, string>>,
  ) => Promise<void>;
}

/** A secret that RUN can mount; its value is in a file or in the environment. */
export type Secret =
  & { readonly id: string }
  & ({ readonly file: string } | { readonly env: string });

/** An image of the graph in an engine's hands. */
export interface HandedOver {
  /** What FROM and `--from` call it. */
  readonly name: string;
  /** Arguments of the build that make it known. */
  readonly args: readonly string[];
}

/** Something that builds Dockerfiles. */
export interface Engine {
  readonly name: EngineName;
  /** Its program on PATH. */
  readonly program: string;
  /** Its layer cache knows less than the key: what it lacks has to stand in the Dockerfile. */
  readonly weakCache: boolean;
  /** The command that tells whether it works here, without building anything. */
  question(builder?: string): readonly string[];
  /** What the answer to that means. */
  verdict(answer: Ended): Probe;
  /** The version that decides what it can do, where {@link verdict} does not tell. */
  version?(tooling: Tooling): Promise<string | undefined>;
  /**
   * The first of what a Dockerfile demands that this version cannot do.
   *
   * @param syntax the frontend that the Dockerfile names.
   */
  lacks(
    demands: readonly Demand[],
    version: string | undefined,
    syntax: string | undefined,
  ): Lack | undefined;
  /** Makes an image of the graph known to it. */
  handOver(image: LocalImage, tooling: Tooling): Promise<HandedOver>;
  /** Builds, and lays the result out in files. */
  build(job: EngineJob, tooling: Tooling): Promise<EngineImage>;
}

/** Arguments that all engines write alike. */
export function sharedArguments(job: EngineJob): string[] {
  return [
    ...["--file", job.dockerfile],
    ...["--platform", job.platform],
    ...flags("--target", job.target),
    ...flags("--network", job.network),
    ...job.buildArgs.flatMap((arg) => ["--build-arg", arg]),
    ...job.cacheFrom.flatMap((cache) => ["--cache-from", cache]),
    ...(job.noCache ? ["--no-cache"] : []),
  ];
}

/** Arguments of engines that know secrets, SSH agents, named contexts and caches to write. */
export function buildKitArguments(job: EngineJob): string[] {
  return [
    ...job.secrets.flatMap((secret) => ["--secret", secretArgument(secret)]),
    ...job.ssh.flatMap((ssh) => ["--ssh", ssh]),
    ...job.cacheTo.flatMap((cache) => ["--cache-to", cache]),
    ...job.contexts,
  ];
}

/** Only where the value is: a value has no place in a process's arguments. */
function secretArgument(secret: Secret): string {
  const from = "file" in secret ? `type=file,src=${secret.file}` : `type=env,env=${secret.env}`;
  return `id=${secret.id},${from}`;
}

function flags(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}
