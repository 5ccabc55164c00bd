/**
 * Nothing that only a private registry holds may reach a public one. Judged is every remote image
 * whose layers are about to be copied, mounted or uploaded, whichever plugin took them in.
 */

import type { FaultKind } from "../../model/errors.ts";
import type { RemoteBase } from "../../model/plugin.ts";
import type { Image } from "../../model/recipe.ts";
import { parseReference, type Reference } from "../../model/reference.ts";
import { isAllowed, type NamedRegistry } from "../../registry/publish/destination.ts";
import {
  countsAsPublic,
  declaredRegistryOf,
  pathBelow,
  privateContentFault,
} from "../../registry/publish/visibility.ts";
import { isReadableByAll } from "../anonymous_access.ts";
import { topKeyOf } from "../indexes.ts";
import { partsOf } from "../published.ts";
import type { Outcome } from "../results.ts";
import type { Session } from "../session.ts";
import { isKeyed, type SettledImage } from "../settled.ts";
import { isUntold, notedBases } from "./noted_bases.ts";
import { basesOfSettled, type UsedBase } from "./remote_bases.ts";
import type { PushRequest } from "./request.ts";

/**
 * Refuses images for a public registry whose layers only a private one holds; before anything is
 * written. Registries are asked about bases that no declaration covers, where layers will be written.
 *
 * @throws {Fault} that names image, base, both registries and the remedy.
 */
export async function refusePrivateLayers(
  session: Session,
  outcome: Outcome,
  images: readonly Image[],
  { destination }: PushRequest,
): Promise<void> {
  if (!countsAsPublic(destination)) return;
  const { graph } = session.circumstances;
  const settled = new Map(outcome.settled.map((each) => [each.node.id, each]));
  await Promise.all(images.map(async (image) => {
    if (!isAllowed(image, destination.name)) return;
    const parts = partsOf(outcome, image);
    const nodes = graph.closure(parts.map(({ node }) => node.id)).flatMap((id) => {
      const each = settled.get(id);
      return each?.node.type === "image" ? [each as SettledImage] : [];
    });
    const isWritten = () => mustBeWritten(session, parts, destination);
    for (const node of nodes) {
      await refuseUntold(session, image, node, destination, isWritten);
    }
    for (const base of await basesOfSettled(session, nodes, isWritten)) {
      await refusePrivateBase(session, image, base, destination, isWritten, "failed");
    }
  }));
}

/**
 * Judges an image that a private registry holds and whose tool was not asked here, by what is noted
 * on it there.
 */
async function refuseUntold(
  session: Session,
  image: Image,
  settled: SettledImage,
  destination: NamedRegistry,
  isWritten: () => Promise<boolean>,
): Promise<void> {
  const { node, record } = settled;
  if (record?.remote === undefined || record.layers !== undefined) return;
  const { registries } = session.circumstances.project;
  const holder = declaredRegistryOf(registries, record.remote, destination);
  const isOpen = holder?.name === destination.name || holder?.registry.visibility === "public";
  if (isOpen || !isUntold(settled) || !await isWritten()) return;
  const bases = await notedBases(session, { ...record, remote: record.remote });
  if (bases === undefined) {
    const from = holder?.name ?? record.remote.host;
    const why = `is copied from the private ${from}, and what "${node.image.name}" is based on ` +
      `is known to its tool alone`;
    throw privateContentFault(image, destination, why, "failed");
  }
  for (const base of bases) {
    const used = { ...base, user: node.image };
    await refusePrivateBase(session, image, used, destination, isWritten, "failed");
  }
}

/**
 * Refuses an image with a base that only a private registry holds.
 *
 * @param isWritten whether registries may be asked about a base that no declaration covers.
 */
export async function refusePrivateBase(
  session: Session,
  image: Image,
  base: UsedBase,
  destination: NamedRegistry,
  isWritten: () => Promise<boolean>,
  kind: FaultKind,
): Promise<void> {
  const references = base.references.map(parseReference);
  const { registries } = session.circumstances.project;
  const holders = references.map((each) => declaredRegistryOf(registries, each, destination));
  const isPublic = (holder: NamedRegistry | undefined) =>
    holder?.name === destination.name || holder?.registry.visibility === "public";
  if (references.length === 0 || holders.some(isPublic)) return;
  const undeclared = references.filter((_, at) => holders[at] === undefined);
  if (undeclared.length > 0) {
    if (!await isWritten()) return;
    const answers = await Promise.all(
      undeclared.map((each) => isReadableByAll(session, each, base.layers?.[0])),
    );
    if (answers.includes(true)) return;
    // Without any answer nothing says that it is private.
    const isUnknown = undeclared.length === references.length && !answers.includes(false);
    if (isUnknown) return;
  }
  if (await isMirrored(session, base, references, destination)) return;
  const holder = holders.find((each) => each !== undefined);
  const where = holder === undefined
    ? `which ${references[0]!.host} gives to nobody without credentials, so it counts as private`
    : `which is in the private ${holder.name}`;
  throw privateContentFault(image, destination, `${whatOf(image, base)}, ${where}`, kind);
}

function whatOf(image: Image, { user, references, layers = [] }: UsedBase): string {
  const { tag, digest } = parseReference(references[0]!);
  const through = user.name === image.name ? "" : ` through "${user.name}"`;
  if (tag !== undefined || digest !== undefined || layers.length === 0) {
    return `is based on ${references[0]}${through}`;
  }
  return `has the layer ${layers[0]} of ${references[0]}${through}`;
}

/** Whether a declared public registry holds the same under the same name. */
async function isMirrored(
  session: Session,
  base: RemoteBase,
  references: readonly Reference[],
  destination: NamedRegistry,
): Promise<boolean> {
  const { registries } = session.circumstances.project;
  const publicOnes = [...registries.values()].filter(({ visibility }) => visibility === "public");
  for (const reference of references) {
    const holder = declaredRegistryOf(registries, reference, destination);
    const path = holder === undefined
      ? reference.repository
      : pathBelow(holder.registry, reference.repository);
    for (const { host, prefix } of publicOnes) {
      const repository = prefix === "" ? path : `${prefix}/${path}`;
      if (await holds(session, host, repository, reference, base)) return true;
    }
  }
  return false;
}

async function holds(
  session: Session,
  host: string,
  repository: string,
  { digest }: Reference,
  { layers = [] }: RemoteBase,
): Promise<boolean> {
  try {
    const client = await session.registries.client(host);
    if (digest !== undefined) return await client.probe(repository, digest) !== undefined;
    const there = await Promise.all(
      layers.slice(0, 1).map((layer) => client.hasBlob(repository, layer)),
    );
    return there.length > 0 && there.every(Boolean);
  } catch {
    session.signal.throwIfAborted();
    return false;
  }
}

/** Whether a push writes anything of an image but its mutable tags. */
async function mustBeWritten(
  session: Session,
  parts: readonly SettledImage[],
  destination: NamedRegistry,
): Promise<boolean> {
  const [part] = parts;
  if (part === undefined || session.settings.force || !parts.every(isKeyed)) return true;
  try {
    const key = await topKeyOf(parts);
    return await session.registries.ask(destination, part.node.image, key) === undefined;
  } catch {
    session.signal.throwIfAborted();
    return true;
  }
}
