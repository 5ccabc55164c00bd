/** From a plugin's result to a recorded image. */

import type { Digest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import type { ImageSource, LocalImage } from "../model/image.ts";
import { type Descriptor, MediaType } from "../model/oci.ts";
import type { BuildRequest } from "../model/plugin.ts";
import type { Tree } from "../model/selection.ts";
import { encodeManifest } from "../oci/documents.ts";
import type { ImageEvaluation, PreparedImage } from "../plan/evaluate_image.ts";
import { evaluateAgain, keyTree, stillHolds } from "../plan/evaluate_image.ts";
import { treeReasons } from "../plan/reasons.ts";
import { recordable } from "../plan/remotes.ts";
import { sourceKeyToWrite } from "../plan/source_key.ts";
import type { ImageRecord } from "../store/records.ts";
import { buildContext, type OwnedContext, timeLimit } from "./build_context.ts";
import { faultOfChangedInputs } from "./faults.ts";
import { localImage, mediaTypeOf, withMaker } from "./local_image.ts";
import type { Session } from "./session.ts";
import { verifyImage } from "./verify.ts";

/** A build that has been set up: what the plugin is handed, and how it is brought to an end. */
export interface PendingBuild {
  readonly evaluation: ImageEvaluation;
  readonly request: BuildRequest;
  /** It has its turn, together with the others of its batch: from now on its time counts. */
  begin(together?: number): void;
  /** Checks and records what the plugin made. */
  finish(source: ImageSource): Promise<ImageRecord>;
  /** Cleans up, whatever became of the build. */
  close(): Promise<void>;
}

/** How a build gets at the images it needs. */
export type NeededImage = (name: string) => Promise<LocalImage>;

/** Sets a build up. Tasks it needs have run. */
export async function startBuild(
  session: Session,
  evaluation: ImageEvaluation,
  need: NeededImage,
): Promise<PendingBuild> {
  const { prepared } = evaluation;
  const { node } = prepared;
  const limit = timeLimit(session.signal, node.image.common.timeout, node.id);
  const { context, tree } = await openContext(session, prepared, evaluation, limit.signal, need);
  const close = async () => {
    limit.clear();
    await context.close();
  };
  if (!await stillHolds(session.circumstances, prepared)) {
    await close();
    throw faultOfChangedInputs(node.id);
  }
  let begun = session.elapsed;
  let share = 1;
  return {
    evaluation,
    request: { image: node.image, description: prepared.description, context },
    begin: (together = 1) => {
      begun = session.elapsed;
      share = 1 / together;
      limit.begin();
      announce(session, evaluation);
    },
    finish: (source) =>
      finish(session, evaluation, source, tree, () => (session.elapsed - begun) * share),
    close,
  };
}

function announce(session: Session, { reasons, prepared }: ImageEvaluation): void {
  const { node: { id }, record } = prepared;
  const expected = record === undefined || record.ms === 0 ? {} : { expected: record.ms };
  session.emit({ kind: "started", id, phase: "building", reasons, ...expected });
}

/** The context of a build, or (without an evaluation) of asking for an identity. */
export async function openContext(
  session: Session,
  prepared: PreparedImage,
  evaluation: ImageEvaluation | undefined,
  signal: AbortSignal,
  need: NeededImage,
): Promise<{ context: OwnedContext; tree: Tree }> {
  const { circumstances: c } = session;
  const tree = await c.index.tree(prepared.selections);
  const context = buildContext(session, {
    prepared,
    tree,
    signal,
    need,
    ...(evaluation === undefined ? {} : { key: evaluation.key }),
    ...(evaluation?.parts.identity === undefined ? {} : { identity: evaluation.parts.identity }),
    bases: evaluation?.parts.bases ?? {},
    sources: evaluation?.parts.sources ?? {},
  });
  return { context, tree };
}

async function finish(
  session: Session,
  evaluation: ImageEvaluation,
  source: ImageSource,
  before: Tree,
  taken: () => number,
): Promise<ImageRecord> {
  const { circumstances: c } = session;
  const { prepared, key, parts, reasons } = await afterBuild(session, evaluation, before);
  const { node } = prepared;
  const config = await c.layout.write(MediaType.config, source.config);
  const manifest = await writeManifest(session, source, config, node.id);
  const sourceKey = await sourceKeyToWrite(c, prepared, parts);
  const record: Omit<ImageRecord, "schema"> = {
    name: node.image.name,
    platform: node.platform,
    key,
    parts,
    ...(sourceKey === undefined ? {} : { sourceKey }),
    tree: prepared.tree,
    ...(prepared.guard === undefined ? {} : { guard: prepared.guard }),
    description: {
      recipe: prepared.recipe,
      reads: prepared.reads,
      value: recordable(prepared.description),
    },
    imageId: config.digest,
    configSize: config.size,
    manifest,
    ...(source.listing === undefined ? {} : { listing: source.listing }),
    layers: source.layers.map((layer) => withMaker(layer, node.image.plugin)),
    reasons,
    ms: Math.round(taken()),
    at: Date.now(),
  };
  const open = () => localImage(session, { schema: 1, ...record });
  await verifyImage(session, node.image, config.digest, open);
  if (session.signal.aborted) throw new Fault("Interrupted", { kind: "interrupted" });
  const tree = await keyTree(c, prepared);
  c.records.putTree(tree.root, tree.entries);
  c.records.putImage(record);
  return { schema: 1, ...record };
}

/**
 * Files are looked at again: those of another state than the key's may have gone in. Where the tool
 * itself has written some, the key is theirs.
 */
async function afterBuild(
  session: Session,
  evaluation: ImageEvaluation,
  before: Tree,
): Promise<ImageEvaluation> {
  const { circumstances: c } = session;
  const { node, selections, description: { rewrites = [] } } = evaluation.prepared;
  c.index.fresh();
  if (c.index.root(selections) === before.root) return evaluation;
  const after = await c.index.tree(selections);
  if (after.root === before.root) return evaluation;
  const changed = treeReasons(before.entries, after.entries).map(({ path = "" }) => path);
  if (!changed.every((path) => rewrites.includes(path))) {
    throw faultOfChangedInputs(node.id, changed);
  }
  const files = changed.join(", ");
  // One file may go into many images.
  await session.once(`written ${files}`, () => {
    session.notice(`The build has written ${files}: commit it, or fresh checkouts build again`);
    return Promise.resolve();
  });
  return await evaluateAgain(c, evaluation);
}

async function writeManifest(
  session: Session,
  source: ImageSource,
  config: Descriptor,
  where: string,
): Promise<Descriptor> {
  const bytes = source.manifest ??
    encodeManifest({ config, layers: source.layers.map((layer) => layer.descriptor) });
  return await session.circumstances.layout.write(mediaTypeOf(bytes, where), bytes);
}

/** Image → image ID of every image among what a node needs. */
export type ImageIds = Readonly<Record<string, Digest>>;
