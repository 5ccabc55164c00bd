/** What images.ts declares, as plain data with every default filled in. */

import type { Place } from "./errors.ts";
import type { Plugin } from "./plugin.ts";
import type { Projection } from "./projection.ts";

/** Names of images, tasks and groups. */
export const NAME_PATTERN: RegExp = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** A registry images are published to. */
export interface Registry {
  /** Host, with its port if it has one. */
  readonly host: string;
  /** Path in front of every repository, e.g. `your-org`; may be empty. */
  readonly prefix: string;
  /** Whether anybody may read what is there; without it nothing private may go there. */
  readonly visibility?: "public" | "private";
  /** How layers are compressed when they are uploaded. @default "gzip" */
  readonly compression: "gzip" | "zstd" | "none";
  /** Speaks plain http to a host that is not loopback. @default false */
  readonly insecure: boolean;
  /** Reads the cache entries that pull requests wrote. @default false */
  readonly trustPullRequests: boolean;
  /** Where it was declared. */
  readonly place?: Place;
}

/** A file that must be in the image. */
export interface ExpectedFile {
  /** Absolute path in the image. */
  readonly path: string;
  /** Must be (or not be) executable. */
  readonly executable?: boolean;
  /** Permission bits as octal text or number, e.g. `"0755"`. */
  readonly mode?: string | number;
}

/** What a built image must hold before it is recorded or pushed. */
export interface Expectations {
  /** Paths that must be there. */
  readonly files?: readonly (string | ExpectedFile)[];
  /** Absolute paths that must not be there. */
  readonly absent?: readonly string[];
  /** The entrypoint, word for word. */
  readonly entrypoint?: readonly string[];
  /** The command, word for word. */
  readonly cmd?: readonly string[];
  /** Variables that must have these values. */
  readonly env?: Readonly<Record<string, string>>;
  /** The user. */
  readonly user?: string;
  /** Labels that must have these values. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Most bytes of all uncompressed layers together, as a number or as `"120MB"`, `"64MiB"`. */
  readonly maxSize?: number | string;
  /** Most layers. */
  readonly maxLayers?: number;
}

/** The options every recipe has, defaults filled in. */
export interface CommonOptions {
  /** Images and tasks that must be there first. */
  readonly needs: readonly string[];
  /** Extra globs of input files; a leading `!` leaves out. */
  readonly inputs: readonly string[];
  /** Files among the inputs of which only a part counts; undefined where there are none. */
  readonly projections?: readonly Projection[];
  /** Names of environment variables that are part of the key and handed to the build. */
  readonly hostEnv: readonly string[];
  /** Normalised platforms, e.g. `linux/amd64`; at least one. */
  readonly platforms: readonly string[];
  /** Names of declared registries; undefined means all. */
  readonly registries?: readonly string[];
  /** Path below the registry's prefix, in lower case. */
  readonly repository: string;
  /** Mutable tags, with `{revision}`, `{branch}` and `{git-tag}` not yet filled in. */
  readonly tags: readonly string[];
  /** Labels of the image's config. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of the published manifest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Seconds since 1970 that the config's `created` and file times carry. */
  readonly created: number;
  /** What the built image must hold. */
  readonly expect?: Expectations;
  /** Seconds after which a build is ended and counts as failed. */
  readonly timeout?: number;
}

/** A declared image. */
export interface Image {
  /** Name in images.ts. */
  readonly name: string;
  /** What builds it. */
  readonly plugin: PluginRef;
  /** The options every recipe has. */
  readonly common: CommonOptions;
  /** The plugin's own options, checked, as they were written. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Names of the images that its options refer to. */
  readonly references: readonly string[];
  /** Where it was declared. */
  readonly place?: Place;
}

/** A plugin by name and version, its implementation loaded when it is needed. */
export interface PluginRef {
  /** Name, as it enters keys and results. */
  readonly name: string;
  /** Version, as it enters keys. */
  readonly version: string;
  /** Loads the implementation. */
  readonly load: () => Promise<Plugin>;
}

/** What a task function is given. */
export interface TaskContext {
  /** dax's `$`, bound to the task's folder, its log and its cancellation. */
  // deno-lint-ignore no-explicit-any
  readonly $: any;
  /** Aborted when the run is interrupted or the task's timeout is over. */
  readonly signal: AbortSignal;
}

/** A command line, or a function. */
export type TaskRun = readonly string[] | ((context: TaskContext) => unknown);

/** A declared task, defaults filled in. */
export interface Task {
  readonly name: string;
  /** Input globs; undefined: it runs whenever a dependent is built. */
  readonly inputs?: readonly string[];
  /** Files among the inputs of which only a part counts; undefined where there are none. */
  readonly projections?: readonly Projection[];
  readonly outputs: readonly string[];
  readonly needs: readonly string[];
  readonly hostEnv: readonly string[];
  /** Folder the command runs in, relative to images.ts. */
  readonly cwd: string;
  /** Seconds. */
  readonly timeout?: number;
  readonly run: TaskRun;
  readonly place?: Place;
}

/** A loaded images.ts. */
export interface Project {
  /** Absolute path of the folder that images.ts is in. */
  readonly root: string;
  /** Absolute path of images.ts. */
  readonly file: string;
  readonly registries: ReadonlyMap<string, Registry>;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly images: ReadonlyMap<string, Image>;
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** Writes git's revision, source and dates as annotations when publishing. */
  readonly gitAnnotations: boolean;
  /** Absolute paths of the local modules images.ts imports, itself included, sorted. */
  readonly modules: readonly string[];
}
