/** What a plugin is given to build with, bound to one image, its log and its time limit. */

import type { Digest } from "../model/digest.ts";
import { Fault, usageFault } from "../model/errors.ts";
import type { LocalImage } from "../model/image.ts";
import type { Json } from "../model/json.ts";
import type { Descriptor } from "../model/oci.ts";
import type { BuildContext, Progress, RunOptions, RunResult } from "../model/plugin.ts";
import type { Tree } from "../model/selection.ts";
import type { RemoteSource, SourceIdentity } from "../model/source.ts";
import { describeContext, type PreparedImage } from "../plan/evaluate_image.ts";
import { runProcess } from "../process/run.ts";
import type { State } from "../store/state.ts";
import type { TemporaryFolder } from "../util/temporary.ts";
import { BuildLog } from "./build_log.ts";
import type { Session } from "./session.ts";
import { unlessAborted } from "./shared_work.ts";
import { Meter, pulled } from "./transfers.ts";

/** A context with what the runner must clean up after the build. */
export interface OwnedContext extends BuildContext {
  /** Removes the scratch folder and closes the log. */
  close(): Promise<void>;
}

/** What a context is made for. */
export interface ContextRequest {
  readonly prepared: PreparedImage;
  readonly tree: Tree;
  readonly key?: string;
  readonly identity?: Json;
  readonly signal: AbortSignal;
  /** Opens a needed image by name, on the same platform. */
  readonly need: (name: string) => Promise<LocalImage>;
  /** Base reference → digest. */
  readonly bases: Readonly<Record<string, Digest>>;
  /** Name of a remote source → digest or commit. */
  readonly sources: Readonly<Record<string, SourceIdentity>>;
}

/** Makes the context of one build. */
export function buildContext(session: Session, request: ContextRequest): OwnedContext {
  const { state } = session.circumstances;
  const log = new BuildLog(state.log(request.prepared.node.id), () => state.prepare());
  const scratch = new Scratch(session);
  return {
    ...contextWith(session, request, log, scratch),
    close: async () => {
      log.close();
      await scratch.remove();
    },
  };
}

function contextWith(
  session: Session,
  request: ContextRequest,
  log: BuildLog,
  scratch: Scratch,
): BuildContext {
  const { circumstances: c } = session;
  const { signal, prepared: { node } } = request;
  const { id, image } = node;
  const write = (line: string) => {
    log.line(line);
    session.emit({ kind: "output", id, line });
  };
  const progress = (progress: Progress) => session.progress(id, progress);
  // The same image stays the same object: what is read of it is kept by it.
  const images = new Map<LocalImage, LocalImage>();
  const pulling = async (opening: Promise<LocalImage>): Promise<LocalImage> => {
    const image = await unlessAborted(opening, signal);
    const known = images.get(image) ?? pulled(image, c.layout, progress);
    images.set(image, known);
    return known;
  };
  return {
    ...describeContext(c, node),
    name: image.name,
    ...(request.key === undefined ? {} : { key: request.key }),
    tree: request.tree,
    signal,
    ...(request.identity === undefined ? {} : { identity: request.identity }),
    created: image.common.created,
    logFile: c.state.log(id),
    log: write,
    notice: (message: string) => session.notice(message, id),
    progress,
    need: (name: string) => {
      if (!node.needs.some((need) => need === name || need.startsWith(`${name}@`))) {
        throw usageFault(`Image "${image.name}" reads "${name}" without needing it`, {
          next: `add "${name}" to its needs`,
        });
      }
      return pulling(request.need(name));
    },
    bases: request.bases,
    base: (reference: string, platform = node.platform) => {
      const digest = request.bases[reference];
      if (digest === undefined) throw new Error(`${reference} is no base of ${id}`);
      return pulling(session.registries.base(reference, digest, platform));
    },
    sources: request.sources,
    source: async (source: RemoteSource) => {
      const identity = source.fixed ?? request.sources[source.name];
      if (identity === undefined) throw new Error(`${source.name} is no source of ${id}`);
      const to = async () =>
        `${await Deno.makeTempDir({ dir: await scratch.folder(), prefix: "git-" })}/files`;
      return await session.sources.content(source, identity, to, signal, progress);
    },
    fetch: async (image: LocalImage) => {
      for (const { descriptor, open } of image.layers) {
        if (c.layout.has(descriptor.digest, descriptor.size)) continue;
        await c.layout.writeStream(descriptor.mediaType, await open(signal), { signal });
      }
    },
    writeBlob: (mediaType: string, content: AsyncIterable<Uint8Array>): Promise<Descriptor> =>
      c.layout.writeStream(mediaType, content, {
        signal,
        onBytes: new Meter("writing", progress).add,
      }),
    scratch: () => Promise.resolve(scratch.folder()),
    run: (command: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
      runProcess(command, {
        cwd: c.project.root,
        signal,
        ...options,
        log: write,
        where: id,
      }),
    once: <T>(name: string, make: (context: BuildContext) => Promise<T>): Promise<T> =>
      session.shared.once(name, signal, async (signal) => {
        // It may outlive this build.
        const own = new Scratch(session);
        try {
          return await make(contextWith(session, { ...request, signal }, log, own));
        } finally {
          await own.remove();
        }
      }),
  };
}

/** A folder that is made when it is asked for. */
class Scratch {
  readonly #state: State;
  #made: TemporaryFolder | undefined;

  constructor({ circumstances: { state } }: Session) {
    this.#state = state;
  }

  folder(): string {
    this.#made ??= this.#state.temporaryFolder("build");
    return this.#made.path;
  }

  async remove(): Promise<void> {
    await this.#made?.[Symbol.asyncDispose]();
  }
}

/** A limit to how long something may take. */
export interface TimeLimit {
  /** Also aborted when the time is over. */
  readonly signal: AbortSignal;
  /** From now on the time counts. */
  begin(): void;
  clear(): void;
}

/** A limit of so many seconds. */
export function timeLimit(
  signal: AbortSignal,
  seconds: number | undefined,
  subject: string,
): TimeLimit {
  if (seconds === undefined) return { signal, begin: () => {}, clear: () => {} };
  const limit = new AbortController();
  const end = () =>
    limit.abort(
      new Fault(`It took longer than its timeout of ${seconds} s`, {
        where: subject,
        next: "raise `timeout` in images.ts, or find out from its log what hangs",
      }),
    );
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    signal: AbortSignal.any([signal, limit.signal]),
    begin: () => timer = setTimeout(end, seconds * 1000),
    clear: () => clearTimeout(timer),
  };
}
