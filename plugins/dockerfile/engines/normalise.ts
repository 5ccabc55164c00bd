/**
 * From what an engine made to what is recorded: the same for every engine, and the same again from
 * the same inputs. Nothing of the clock, the machine or the engine stays: times of files and of the
 * history, places where something was mounted, values of `hostEnv`, notes for the engine itself.
 *
 * BuildKit's own `rewrite-timestamp` is not used: it rewrites base layers too
 * (https://github.com/moby/buildkit/issues/4805), and no other engine of these has it.
 */

import type { Digest } from "../../../lib/model/digest.ts";
import { Fault } from "../../../lib/model/errors.ts";
import type { ImageSource, Layer, LocalImage } from "../../../lib/model/image.ts";
import { type History, type ImageConfig, MediaType } from "../../../lib/model/oci.ts";
import { parsePlatform } from "../../../lib/model/platform.ts";
import type { BuildContext, BuildRequest } from "../../../lib/model/plugin.ts";
import { encodeConfig, parseConfig } from "../../../lib/oci/documents.ts";
import { makersOf } from "../../../lib/oci/inspect.ts";
import { decompress } from "../../../lib/oci/decompress.ts";
import { rewriteTar } from "../../../lib/oci/tar_rewrite.ts";
import { passOn } from "../native/write.ts";
import { STEP_LABEL } from "./handed_script.ts";
import { MountPoints, plainPath } from "./mount_points.ts";
import type { Replayed } from "./replayed.ts";
import type { EngineImage, EngineLayer } from "./result.ts";

/** Instructions whose layers hold what was asked for: nothing is mounted for them. */
const COPYING = /^(?:ADD|COPY|WORKDIR) /;

const NO_MOUNTS: ReadonlySet<string> = new Set();

/** The base that a build ended on, and who has its layers. */
export interface ResultBase {
  readonly image: LocalImage;
  /** Of an image of the graph: its layers are at places that are known. */
  readonly passedOn: boolean;
}

/**
 * Brings an engine's image into its recorded form, writing its layers.
 *
 * @param targets absolute paths that its RUNs mount something at.
 * @throws {Fault} where it is for another platform than it was built for.
 */
export async function normalise(
  made: EngineImage,
  base: ResultBase | undefined,
  request: BuildRequest,
  targets: readonly string[],
  replayed: Replayed,
): Promise<ImageSource> {
  const { context } = request;
  const config = parseConfig(made.config, context.name);
  checkPlatform(config, context);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== made.layers.length) {
    throw new Fault("The engine's config and manifest name different layers", {
      where: context.name,
    });
  }
  const inherited = base === undefined ? 0 : commonLayers(base.image, diffIds);
  const layers: Layer[] = [];
  const mounts = new MountPoints(made.layers.map(({ path }) => () => uncompressed(path)), targets);
  const makers = makersOf(config, made.layers.length);
  for (const [at, layer] of made.layers.entries()) {
    context.signal.throwIfAborted();
    context.progress({ phase: "layer", done: at + 1, total: made.layers.length, unit: "steps" });
    layers.push(
      at < inherited ? await inheritedLayer(layer, at, base!, context) : await ownLayer(
        layer,
        COPYING.test(makers[at] ?? "") ? NO_MOUNTS : await mounts.in(at),
        context,
      ),
    );
  }
  const labels = request.image.common.labels;
  return {
    config: encodeConfig(
      recorded(config, base?.image, layers.map(({ diffId }) => diffId), labels, replayed, context),
    ),
    layers,
  };
}

function checkPlatform({ os, architecture }: ImageConfig, context: BuildContext): void {
  const wanted = parsePlatform(context.platform);
  if (os === wanted.os && architecture === wanted.architecture) return;
  throw new Fault(`The engine's image is for ${os}/${architecture}, not for ${context.platform}`, {
    where: context.name,
    next: "take a base that has this platform, or change platforms",
  });
}

function commonLayers(base: LocalImage, diffIds: readonly Digest[]): number {
  const isBase = base.layers.every(({ diffId }, at) => diffId === diffIds[at]);
  return isBase ? base.layers.length : 0;
}

/** A base's layer as the base has it, if those are the bytes at hand; else without compression. */
async function inheritedLayer(
  { path, descriptor }: EngineLayer,
  at: number,
  base: ResultBase,
  context: BuildContext,
): Promise<Layer> {
  const original = passOn(base.image)[at]!;
  if (base.passedOn) return original;
  if (descriptor?.digest === original.descriptor.digest) {
    const { mediaType } = original.descriptor;
    const written = await context.writeBlob(mediaType, (await Deno.open(path)).readable);
    checkBytes(written.digest, original.descriptor.digest, context);
    return { ...original, places: [{ at: "layout" }, ...original.places] };
  }
  const written = await context.writeBlob(MediaType.layer, await uncompressed(path));
  checkBytes(written.digest, original.diffId, context);
  return { descriptor: written, diffId: written.digest, places: [{ at: "layout" }] };
}

function checkBytes(has: Digest, wanted: Digest, context: BuildContext): void {
  if (has === wanted) return;
  throw new Fault(`The engine's copy of the layer ${wanted} is damaged`, {
    where: context.name,
    next: "remove the base from the engine's store, and build again",
  });
}

async function ownLayer(
  { path }: EngineLayer,
  without: ReadonlySet<string>,
  context: BuildContext,
): Promise<Layer> {
  const content = rewriteTar(await uncompressed(path), {
    notAfter: context.created,
    transient: true,
    leaveOut: ({ path }) => without.has(plainPath(path)),
  });
  const descriptor = await context.writeBlob(MediaType.layer, content);
  return { descriptor, diffId: descriptor.digest, places: [{ at: "layout" }] };
}

async function uncompressed(path: string): Promise<ReadableStream<Uint8Array>> {
  return decompress((await Deno.open(path)).readable, path);
}

function recorded(
  made: ImageConfig,
  base: LocalImage | undefined,
  diffIds: readonly Digest[],
  labels: Readonly<Record<string, string>>,
  { config, author, lines }: Replayed,
  context: BuildContext,
): ImageConfig {
  const created = new Date(context.created * 1000).toISOString().replace(/\.000Z$/, "Z");
  const { os, architecture, variant } = made;
  return {
    created,
    ...(author === undefined ? {} : { author }),
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: { ...config, Labels: { ...config.Labels, ...labels } },
    rootfs: { type: "layers", diff_ids: diffIds },
    history: historyOf(made.history ?? [], base?.config.history ?? [], lines, created),
  };
}

/** The base's lines as they are; those above them in our own words, with the engine's layers. */
function historyOf(
  made: readonly History[],
  base: readonly History[],
  lines: readonly string[],
  created: string,
): History[] {
  const own = made.slice(base.length).filter(({ created_by = "" }) =>
    !created_by.includes(`LABEL ${STEP_LABEL}=`)
  );
  // BuildKit does not tell of ONBUILD.
  const told = lines.filter((line) => !line.startsWith("ONBUILD "));
  const isWhole = own.length === lines.length;
  // Layers of an engine that counts otherwise are left without words.
  const isKnown = isWhole || own.length === told.length;
  const rest = [...own];
  const entries = (isKnown ? lines : own.map(() => undefined)).map((line): History => {
    const isTold = isWhole || line === undefined || !line.startsWith("ONBUILD ");
    const isEmpty = isTold ? rest.shift()!.empty_layer : true;
    return {
      created,
      ...(line === undefined ? {} : { created_by: line }),
      ...(isEmpty ? { empty_layer: true } : {}),
    };
  });
  return [...base, ...entries];
}
