/** What images take from elsewhere: base images and remote sources, as keys name them. */

import type { Digest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import type { Description } from "../model/plugin.ts";
import type { RemoteSource, SourceIdentity } from "../model/source.ts";
import type { ImageRecord } from "../store/records.ts";
import type { Circumstances } from "./circumstances.ts";
import { describeContext, type PreparedImage } from "./evaluate_image.ts";
import type { ImageNode } from "./graph.ts";

/** What remote things are, as a key names them. */
export interface RemoteDigests {
  /** Base reference → digest. */
  readonly bases: Readonly<Record<string, Digest>>;
  /** Name of a remote source → digest or commit. */
  readonly sources?: Readonly<Record<string, SourceIdentity>>;
}

/** What an image's bases and sources are: pinned, else recorded, else (or if `ask`) asked for. */
export async function remotesOf(
  c: Circumstances,
  prepared: PreparedImage,
  ask: boolean,
): Promise<RemoteDigests> {
  const { node, description } = prepared;
  const known = ask ? () => undefined : (name: string) => recorded(c, prepared, name);
  const bases: Record<string, Digest> = {};
  for (const reference of description.bases ?? []) {
    bases[reference] = c.pins.get(reference) ?? known(reference)?.base ??
      await resolveMentioned(c, prepared, reference);
  }
  // What is fixed is in the options already.
  const named = (description.sources ?? []).filter(({ fixed }) => fixed === undefined);
  if (named.length === 0) return { bases };
  const sources: Record<string, SourceIdentity> = {};
  for (const source of named) {
    sources[source.name] = c.pinnedSources.get(source.name)?.identity ??
      known(source.name)?.source ?? await c.resolveSource(await withUrl(c, node, source));
  }
  return { bases, sources };
}

/** Asks for a base; a fault about it points to the line that names it. */
async function resolveMentioned(
  c: Circumstances,
  { node, description }: PreparedImage,
  reference: string,
): Promise<Digest> {
  try {
    return await c.resolveBase(reference);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // A recorded description does not have them.
    const plugin = await node.image.plugin.load();
    const { mentions } = description.mentions === undefined
      ? await plugin.describe(node.image, describeContext(c, node))
      : description;
    const mention = mentions?.[reference];
    // What cannot be reached is told in one line, unless a stage was meant.
    const isBrief = error.kind === "unreachable" && mention?.next === undefined;
    if (mention === undefined || isBrief) throw error;
    const advice = [mention.next, error.next].filter((next) => next !== undefined).join(
      "; or else ",
    );
    const { place, excerpt } = mention;
    throw error.located({ place, excerpt, next: advice });
  }
}

/** What a base or source was in the image's last result that had it. */
function recorded(
  c: Circumstances,
  { node: { image, platform }, record }: PreparedImage,
  name: string,
): { readonly base?: Digest; readonly source?: SourceIdentity } | undefined {
  const of = ({ parts }: ImageRecord) => {
    const base = parts.bases[name];
    const source = parts.sources?.[name];
    if (base === undefined && source === undefined) return undefined;
    return { ...(base && { base }), ...(source && { source }) };
  };
  if (record === undefined) return undefined;
  const latest = of(record);
  if (latest !== undefined) return latest;
  for (const past of c.records.imageHistory(image.name, platform)) {
    const found = of(past);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Says whether an image names anything remote. */
export function hasRemotes({ bases = [], sources = [] }: Description): boolean {
  return bases.length + sources.length > 0;
}

/** A source with its URL, which records leave out where it is a secret. */
export async function withUrl(
  c: Circumstances,
  node: ImageNode,
  source: RemoteSource,
): Promise<RemoteSource> {
  if (source.url !== undefined) return source;
  const plugin = await node.image.plugin.load();
  const { sources = [] } = await plugin.describe(node.image, describeContext(c, node));
  return sources.find(({ name }) => name === source.name) ?? source;
}

/** A description as it may be recorded: without URLs that are secrets, and without excerpts. */
export function recordable({ mentions: _, ...description }: Description): Description {
  if (!description.sources?.some(({ secret }) => secret)) return description;
  const sources = description.sources.map(({ url, ...source }) =>
    source.secret || url === undefined ? source : { ...source, url }
  );
  return { ...description, sources };
}
