/**
 * The contract between the runner and a way of building images.
 *
 * The runner asks in this order: `describe` (what goes in), `identify` (only where a plugin knows
 * something stronger than its input tree, and only when the guard changed), `build` or `buildAll`.
 * An up-to-date image calls none of them.
 */

import type { Digest } from "./digest.ts";
import type { Fault, Place } from "./errors.ts";
import type { ImageSource, Layer, LayerMember, LocalImage } from "./image.ts";
import type { Json } from "./json.ts";
import type { Descriptor } from "./oci.ts";
import type { Image } from "./recipe.ts";
import type { Selection, Tree } from "./selection.ts";
import type { RemoteSource, SourceIdentity } from "./source.ts";

/** What a recipe depends on, found without building it. */
export interface Description {
  /** The options that can change the bits, without anything local such as absolute paths. */
  readonly options: Json;
  /** Files that go in, beside the recipe's own `inputs`. */
  readonly inputs: readonly Selection[];
  /**
   * Single files that go in too, relative to images.ts' folder: each counts where it is, and with it
   * every link that its path leads through.
   */
  readonly files?: readonly string[];
  /** Names of images whose content the build reads, beside `needs`. */
  readonly images?: readonly string[];
  /** References of remote base images, normalised with `formatReference`. */
  readonly bases?: readonly string[];
  /**
   * Remote images whose layers the tool takes in by itself. What pins them is among the inputs; here
   * they decide which registries the image may be published to.
   */
  readonly remoteBases?: readonly RemoteBase[];
  /** Remote content besides images: in the key by digest or commit, asked for as bases are. */
  readonly sources?: readonly RemoteSource[];
  /**
   * Names of environment variables that the tool hands to what it builds, beside the recipe's
   * `hostEnv`: their values are part of the key.
   */
  readonly env?: readonly string[];
  /** Where bases are named, by their references: faults about one point there. Not recorded. */
  readonly mentions?: Readonly<Record<string, Mention>>;
  /** What people may not expect of the recipe, such as an argument that nothing takes. */
  readonly notices?: readonly string[];
  /** Programs a build starts. An image is `unavailable` where it must be built and they are missing. */
  readonly tools?: readonly ToolNeed[];
  /**
   * Files that `describe` itself read or looked for, by their paths relative to images.ts' folder or
   * as selections: while they are unchanged, a recorded description still holds and `describe` is
   * not called. What links on the way to a path lead to counts too.
   */
  readonly reads?: readonly (string | Selection)[];
  /** What besides the input tree decides whether the plugin must be asked again; not in the key. */
  readonly guard?: Guard;
  /**
   * Files among the inputs that the tool itself may write while it builds, such as its lock file,
   * relative to images.ts' folder: the key is then that of what it wrote.
   */
  readonly rewrites?: readonly string[];
  /**
   * What decides the result beside options, environment and needs, where that can be told without the
   * tool: a registry is then asked for it before the tool is. Left out where only the tool can tell.
   */
  readonly sourceKey?: SourceKeyParts;
  /**
   * Folder whose files `inputs` select → the file whose lines leave some out, both relative to
   * images.ts' folder: people are told where to leave out what git ignores.
   */
  readonly ignoreFiles?: Readonly<Record<string, string>>;
  /** `inputs` say nothing yet: only `identify` can tell what goes in. @default false */
  readonly undiscovered?: boolean;
}

/** A remote image whose layers become part of another. */
export interface RemoteBase {
  /** `host/repository[:tag][@digest]` of each place it can be had from. */
  readonly references: readonly string[];
  /** Digests of its layers, compressed or not, where they are known. */
  readonly layers?: readonly Digest[];
}

/** What surely decides a result and travels with the repository. */
export interface SourceKeyParts {
  /** All files that the tool could see here, as files: folders are no entries. */
  readonly inputs: readonly Selection[];
  /** Those among them that every clone has. */
  readonly committed: readonly Selection[];
  /** Whatever else decides, such as arguments or the commit where it is read. */
  readonly facts: Json;
  /** What decides these facts here. @default the description's guard */
  readonly guard?: Guard;
}

/** Local circumstances under which a recorded identity still holds. */
export interface Guard {
  /** Absolute paths of files such as a user's rc files; missing ones count as missing. */
  readonly files?: readonly string[];
  /** Names of environment variables that the tool sees. */
  readonly env?: readonly string[];
  /** Names of programs whose file (path, size, time) counts. */
  readonly tools?: readonly string[];
  /** Files that count beside the inputs, e.g. the names of all that lies in some folders. */
  readonly trees?: readonly Selection[];
}

/**
 * What goes in, found by asking the tool because the recipe alone does not tell: a description that
 * takes the place of what `describe` said for as long as its own guard holds. Its input tree is the
 * identity.
 */
export class Discovered {
  /** What goes in. */
  readonly description: Description;

  /** Wraps a description, which must have a guard. */
  constructor(description: Description & { readonly guard: Guard }) {
    this.description = description;
  }
}

/** What `identify` answers: data that stands for the input tree, or what the input tree is. */
export type Identity = Json | Discovered;

/** One program, or several of which any one will do, in the order of preference. */
export interface ToolNeed {
  /** Names on PATH. */
  readonly anyOf: readonly string[];
  /** What to do where none is there, as an imperative, e.g. `install nix`. */
  readonly next: string;
}

/** What `describe` may look at. */
export interface DescribeContext {
  /** Absolute path of images.ts' folder. */
  readonly root: string;
  /** e.g. `linux/amd64`. */
  readonly platform: string;
  /** Values of the recipe's `hostEnv` variables that are set. */
  readonly env: Readonly<Record<string, string>>;
  /** `--arg K=V` of this run. */
  readonly args: Readonly<Record<string, string>>;
  /** `--engine` and friends: what the command line says for this plugin. */
  readonly overrides: Overrides;
  /** Absolute path of a folder for what can be made again at any time. It may not exist yet. */
  readonly cacheDir: string;
}

/** A line that names a base. */
export interface Mention {
  /** The line. */
  readonly place: Place;
  /** The text around it, ready to print. */
  readonly excerpt: string;
  /** What was meant, if it was not that base. */
  readonly next?: string;
}

/** Options of the command line that plugins honour; none is part of a key. */
export interface Overrides {
  /** What builds Dockerfiles. */
  readonly engine?: string;
  /** The builder of docker buildx. */
  readonly builder?: string;
  /** What a tool keeps of earlier builds must not be used: `--force`, or two builds are compared. */
  readonly noCache?: boolean;
}

/** One image to build on one platform. */
export interface BuildRequest {
  /** The declared image. */
  readonly image: Image;
  /** What `describe` said of it. */
  readonly description: Description;
  /** What it is built with. */
  readonly context: BuildContext;
}

/** What a build is given. */
export interface BuildContext extends DescribeContext {
  /** Name in images.ts. */
  readonly name: string;
  /** 64 hex digits; undefined while an identity is being asked for. */
  readonly key?: string;
  /**
   * The files of `describe`'s inputs and of the recipe's own, as they are now: those of the key and
   * the outputs of needed tasks, which the key leaves to the tasks' keys.
   */
  readonly tree: Tree;
  /** Aborted by an interrupt, a timeout, or a failure elsewhere without `--keep-going`. */
  readonly signal: AbortSignal;
  /** The identity that `identify` gave, where the plugin has one. */
  readonly identity?: Json;
  /** `created` of the recipe, seconds since 1970. */
  readonly created: number;
  /** Absolute path of this build's log; `log` writes there and to the reporter. */
  readonly logFile: string;
  /** A line of a tool's output. */
  log(line: string): void;
  /** Something people should know that is no failure. */
  notice(message: string): void;
  /** What is going on: a phase such as `layer`, a count, bytes. */
  progress(progress: Progress): void;
  /** A needed image on this platform. */
  need(name: string): Promise<LocalImage>;
  /** Reference `describe` gave → digest of the index or manifest that the key names. */
  readonly bases: Readonly<Record<string, Digest>>;
  /** A remote base at that digest, on this platform unless another is named. */
  base(reference: string, platform?: string): Promise<LocalImage>;
  /** Name of a source `describe` gave → what the key says it is. */
  readonly sources: Readonly<Record<string, SourceIdentity>>;
  /**
   * A source exactly as the key says it is: absolute path of a file, of git of a folder with the
   * commit's files. It must not be changed, and is there until the build ends.
   */
  source(source: RemoteSource): Promise<string>;
  /** Brings all layers of an image into `.images/oci`, from wherever they are. */
  fetch(image: LocalImage): Promise<void>;
  /**
   * Writes a blob into `.images/oci` while hashing it; for a layer, the uncompressed tar. It is done
   * with each chunk before it asks for the next.
   */
  writeBlob(mediaType: string, content: AsyncIterable<Uint8Array>): Promise<Descriptor>;
  /** An empty folder of this build, removed after it. */
  scratch(): Promise<string>;
  /** Starts a program in its own process group, ended with `signal`; output lines go to `log`. */
  run(command: readonly string[], options?: RunOptions): Promise<RunResult>;
  /**
   * One value for the whole run under this name: the place for work that images share. The context
   * that `make` is given is like this one, but lasts until nobody waits for the value any more: an
   * image whose time is over ends no work that others wait for.
   */
  once<T>(name: string, make: (context: BuildContext) => Promise<T>): Promise<T>;
}

/** How far something is. */
export interface Progress {
  /** e.g. `pulling`, `step`, `layer`, `hashing`, `uploading`. */
  readonly phase: string;
  /** How much is done; of layers, which one is being done, from 1. */
  readonly done?: number;
  /** How much there is, where it is known. */
  readonly total?: number;
  /** What is counted. */
  readonly unit?: "bytes" | "steps";
}

/** How a program is started. */
export interface RunOptions {
  /** Absolute path. @default the project's root */
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Bytes for standard input. */
  readonly stdin?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Keeps standard output instead of logging it. @default false */
  readonly capture?: boolean;
  /** Accepts an exit status other than 0 instead of throwing a fault. @default false */
  readonly allowFailure?: boolean;
  /** Ends it instead of the context's own signal, where it runs for several images. */
  readonly signal?: AbortSignal;
  /** Called for each line of output before it is logged; returning false keeps it out of the log. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => boolean | void;
}

/** How a program ended. */
export interface RunResult {
  /** Exit status. */
  readonly code: number;
  /** Standard output, where `capture` was asked for. */
  readonly stdout: string;
}

/** An image, all its platforms, that is to be published by its tool's own means. */
export interface PublishRequest {
  /** The declared image. */
  readonly image: Image;
  /** The registry's host, with its port if it has one. */
  readonly host: string;
  /** The registry may be spoken to in plain http. */
  readonly insecure: boolean;
  /** Path below the host. */
  readonly repository: string;
  /** The tag to write. */
  readonly tag: string;
  /** What it is published with. */
  readonly context: PublishContext;
}

/** What publishing is given. */
export interface PublishContext
  extends Pick<BuildContext, "root" | "name" | "signal" | "logFile" | "log"> {
  /** One value for the whole run under this name, shared with builds. */
  once<T>(name: string, make: () => Promise<T>): Promise<T>;
}

/** Publishes an image as it was built; answers with the digest of what the tag stands for then. */
export type Publisher = (request: PublishRequest) => Promise<Digest>;

/** A way of building images. */
export interface Plugin {
  /** Name, as it enters keys and results. */
  readonly name: string;
  /** Changes when the same recipe and inputs would give other bits. */
  readonly version: string;
  /** Says what goes in; reads nothing but the recipe's own files. */
  describe(image: Image, context: DescribeContext): Description | Promise<Description>;
  /** An identity stronger than the input tree, found without building; replaces it in the key. */
  identify?(request: BuildRequest): Promise<Identity>;
  /** The same for several images in one go; answers in the same order. */
  identifyAll?(requests: readonly BuildRequest[]): Promise<readonly (Identity | Fault)[]>;
  /** Remote images whose layers the tool takes in, where only an identity tells. */
  remoteBases?(image: Image, identity: Json): Promise<readonly RemoteBase[]>;
  /**
   * Checks that what an image is built with works here, before its tasks run: called where it must be
   * built.
   *
   * @throws {Fault} `unavailable`, with what does not work and what to do.
   */
  preflight?(request: BuildRequest): Promise<void>;
  /** Builds one image. */
  build(request: BuildRequest): Promise<ImageSource>;
  /**
   * Builds several in one invocation of a tool that schedules by itself. Each may run out of time
   * meanwhile: `together` goes on for the others.
   */
  buildAll?(requests: readonly BuildRequest[]): Promise<readonly (ImageSource | Fault)[]>;
  /**
   * Makes the bytes of a layer again whose place is `{ at: "plugin", data }`. The stream's chunks are
   * taken over: those that have a buffer to themselves are freed once they are sent.
   */
  openLayer?(layer: Layer, data: Json, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** The files of such a layer without reading any; undefined where only its bytes tell. */
  listLayer?(layer: Layer, data: Json): Promise<readonly LayerMember[] | undefined>;
  /**
   * How an image is published by its tool's own means; undefined where it is published natively.
   * What a tool writes knows nothing of keys, so that its content tag alone counts.
   */
  publisher?(image: Image): Publisher | undefined;
}
