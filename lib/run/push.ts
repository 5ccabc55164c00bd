/** Publishing what was settled: all content first, then the mutable tags. */

import { asFault, Fault, usageFault } from "../model/errors.ts";
import type { Subject } from "../model/events.ts";
import type { Image } from "../model/recipe.ts";
import type { DestinationResult } from "../model/result.ts";
import { Compressor } from "../oci/compress.ts";
import { Blobs } from "../registry/publish/blobs.ts";
import {
  ciSystem,
  githubDefaultBranch,
  isPullRequest,
  mayMoveTags,
} from "../registry/publish/ci.ts";
import {
  type ContentItem,
  type ContentOutcome,
  previewContent,
  publishContent,
  type Target,
} from "../registry/publish/content.ts";
import { isAllowed, repositoryIn } from "../registry/publish/destination.ts";
import {
  ancestryOf,
  fetchCommits,
  gitAnnotations,
  type GitFacts,
  gitFacts,
} from "../registry/publish/git_facts.ts";
import { tagToWrite } from "../registry/publish/lookup.ts";
import { type MovePolicy, moveTag } from "../registry/publish/mutable_tags.ts";
import { checkTags, fillInTags } from "../registry/publish/tags.ts";
import { refusePrivateBases, refusePrivateNeeds } from "../registry/publish/visibility.ts";
import type { PreparedImage } from "../plan/evaluate_image.ts";
import { indexKey } from "./indexes.ts";
import { localImage } from "./local_image.ts";
import { targetImages } from "./published.ts";
import type { NamedRegistry } from "./registry_access.ts";
import type { Outcome } from "./results.ts";
import type { Session } from "./session.ts";
import type { SettledImage } from "./settled.ts";
import { verifyImage } from "./verify.ts";

/** What the command line says about a push. */
export interface PushRequest {
  readonly destination: NamedRegistry;
  /** Tags instead of the recipes' own. */
  readonly tags: readonly string[];
  readonly dryRun: boolean;
  readonly force: boolean;
  /** Images were named one by one, so each must be allowed to go there. */
  readonly named: boolean;
}

/** Refuses, before anything is built, what must not go to a destination. */
export function refuseBeforeBuilding(session: Session, request: PushRequest): void {
  const { project, graph } = session.circumstances;
  checkTags(request.tags);
  for (const image of targetImages(session)) {
    if (!isAllowed(image, request.destination.name)) {
      if (!request.named) continue;
      throw usageFault(
        `Image "${image.name}" does not go to ${request.destination.name}, only to ${
          image.common.registries?.join(", ")
        }`,
        {
          ...(image.place === undefined ? {} : { place: image.place }),
          next: "push it with --to one of them, or widen `registries` in images.ts",
        },
      );
    }
    const needs = graph.closure(graph.named(image.name)).map((id) => graph.node(id))
      .flatMap((node) => node.type === "image" && node.image !== image ? [node.image] : []);
    refusePrivateNeeds(project, image, needs, request.destination);
  }
}

/** Refuses an image on a private base; what its bases are is known once it is described. */
export function refuseBases(
  session: Session,
  { node: { image }, description: { bases = [] } }: PreparedImage,
  request: PushRequest,
): void {
  const isTarget = targetImages(session).includes(image);
  if (!isTarget || !isAllowed(image, request.destination.name)) return;
  refusePrivateBases(session.circumstances.project, image, bases, request.destination);
}

/** An image whose content is published, on its way to its tags. */
interface Published {
  readonly image: Image;
  readonly parts: readonly SettledImage[];
  readonly target: Target;
  readonly content: ContentOutcome;
}

/** Publishes the targets among what was settled. */
export async function publish(
  session: Session,
  outcome: Outcome,
  request: PushRequest,
): Promise<Outcome> {
  if (request.dryRun) return await preview(session, outcome, request);
  const destinations = new Map<Subject, DestinationResult[]>();
  const facts = await gitFacts(session.circumstances.project.root, Deno.env.toObject());
  using compressor = new Compressor();
  const places = new Places(session, compressor);
  const published: Published[] = [];
  let failed = false;
  await Promise.all(
    targetImages(session).map(async (image) => {
      const parts = partsOf(outcome, image);
      try {
        if (!isAllowed(image, request.destination.name)) {
          setSkipped(destinations, image, parts, request, "its recipe does not name this registry");
          return;
        }
        if (parts.some((part) => part.record === undefined || part.key === undefined)) {
          const unavailable = parts.some((part) => part.status === "unavailable");
          if (unavailable && !session.targets.strict) return;
          failed = true;
          return;
        }
        published.push(await publishImage(session, image, parts, request, facts, places));
      } catch (error) {
        failed = true;
        const fault = asFault(error, { where: image.name });
        session.emit({ kind: "notice", message: describe(fault, request), id: image.name });
        destinations.set(idOf(image, parts), [failure(image, request, fault)]);
        if (!session.settings.keepGoing) session.stop(fault);
      }
    }),
  );
  if (!failed) await settleRaces(session, published);
  for (const each of published) {
    recordAdopted(session, each);
    destinations.set(idOf(each.image, each.parts), contentResults(each));
  }
  if (failed) return { ...outcome, destinations };
  const policy = movePolicy(session, request, facts);
  await Promise.all(published.map(async (each) => {
    const results = await moveTags(session, each, request, facts, policy);
    destinations.get(idOf(each.image, each.parts))?.push(...results);
  }));
  return { ...outcome, destinations };
}

async function publishImage(
  session: Session,
  image: Image,
  parts: readonly SettledImage[],
  request: PushRequest,
  facts: GitFacts,
  places: Places,
): Promise<Published> {
  const id = idOf(image, parts);
  const target = await places.target(request.destination, image);
  const { gitAnnotations: wanted } = session.circumstances.project;
  const keys = Object.fromEntries(parts.map((part) => [part.node.platform, part.key!]));
  const item: ContentItem = {
    name: image.name,
    parts: parts.map((part) => ({
      platform: part.node.platform,
      key: part.key!,
      open: async () => {
        const local = await localImage(session, part.record!);
        await verifyImage(session, image, local);
        return local;
      },
      onBytes: progressOf(session, part.node.id),
    })),
    ...(parts.length === 1 ? {} : { indexKey: await indexKey(keys) }),
    annotations: image.common.annotations,
    gitAnnotations: wanted ? gitAnnotations(facts) : {},
    formerTags: [...new Set([...fillInTags(image.common.tags, facts), "latest"])],
  };
  const sources = await places.sources(request.destination, image);
  session.emit({ kind: "started", id, phase: "publishing" });
  const content = await publishContent(item, target, sources, request.force);
  return { image, parts, target, content };
}

/** What a push would do: content by what is there, tags by what they stand for. */
async function preview(
  session: Session,
  outcome: Outcome,
  request: PushRequest,
): Promise<Outcome> {
  const destinations = new Map<Subject, DestinationResult[]>();
  const facts = await gitFacts(session.circumstances.project.root, Deno.env.toObject());
  const moving = movePolicy(session, request, facts);
  using compressor = new Compressor();
  const places = new Places(session, compressor);
  for (const image of targetImages(session)) {
    const parts = partsOf(outcome, image);
    if (!isAllowed(image, request.destination.name)) {
      setSkipped(destinations, image, parts, request, "its recipe does not name this registry");
      continue;
    }
    if (parts.some((part) => part.key === undefined)) continue;
    const keys = parts.map((part) => [part.node.platform, part.key!] as const);
    const target = await places.target(request.destination, image);
    const item = {
      parts: keys.map(([platform, key]) => ({ platform, key, open: unopened })),
      ...(keys.length === 1 ? {} : { indexKey: await indexKey(Object.fromEntries(keys)) }),
    };
    const sources = await places.sources(request.destination, image);
    const { status, there } = await previewContent(item, target, sources, request.force);
    const topKey = item.indexKey ?? keys[0]![1];
    const at = `${target.client.host}/${target.repository}`;
    const results: DestinationResult[] = [{
      registry: target.registry,
      reference: `${at}:${tagToWrite(topKey, target.rules)}`,
      ...(there === undefined ? {} : { digest: there.descriptor.digest }),
      status,
    }];
    const content = there && { status, topKey, top: there, tags: new Map(), adopted: new Map() };
    if (content !== undefined) {
      results.push(
        ...await moveTags(session, { image, parts, target, content }, request, facts, moving),
      );
    } else {
      const tags = fillInTags(request.tags.length > 0 ? request.tags : image.common.tags, facts);
      const moves = moving.allowed || request.tags.length > 0;
      for (const tag of tags) {
        results.push({
          registry: target.registry,
          reference: `${at}:${tag}`,
          status: moves ? status : "skipped",
        });
      }
    }
    destinations.set(idOf(image, parts), results);
  }
  return { ...outcome, destinations };
}

function unopened(): Promise<never> {
  throw new Error("a preview opens no image");
}

/** The repositories images go to and come from, with what is known of their blobs. */
class Places {
  readonly #session: Session;
  readonly #compressor: Compressor;
  readonly #blobs = new Map<string, Blobs>();

  constructor(session: Session, compressor: Compressor) {
    this.#session = session;
    this.#compressor = compressor;
  }

  async target({ name, registry }: NamedRegistry, image: Image): Promise<Target> {
    const client = await this.#session.registries.client(registry.host);
    const known = this.#blobs.get(name);
    const blobs = known ?? new Blobs(client, registry.compression, this.#compressor);
    this.#blobs.set(name, blobs);
    const rules = await this.#session.registries.rules(registry);
    const repository = repositoryIn(registry, image);
    const find = (key: string) => this.#session.registries.published(registry, image, key);
    return { registry: name, client, blobs, repository, rules, find };
  }

  /** The other registries the image may be in. */
  async sources(destination: NamedRegistry, image: Image): Promise<Target[]> {
    const others = this.#session.registries.candidates(image)
      .filter(({ name }) => name !== destination.name);
    return await Promise.all(others.map((other) => this.target(other, image)));
  }
}

/** Time that other runs have to show that they wrote the same tag at the same moment, in ms. */
const RACE_WINDOW = 400;

/**
 * Two runs may both find a content tag missing and both write it. The registry keeps the last; a
 * moment later every run reads it again and goes on with that one.
 */
async function settleRaces(session: Session, published: Published[]): Promise<void> {
  const wrote = published.filter(({ content }) => content.status === "pushed");
  if (wrote.length === 0) return;
  await new Promise((resolve) => setTimeout(resolve, RACE_WINDOW));
  const { lookUp } = await import("../registry/publish/lookup.ts");
  for (const [at, each] of published.entries()) {
    const { content, target, parts } = each;
    if (content.status !== "pushed") continue;
    const key = content.topKey;
    const now = await lookUp(target.client, target.repository, key, target.rules);
    if (now === undefined || now.descriptor.digest === content.top.descriptor.digest) continue;
    session.notice(
      "Another run published it at the same moment; its image is adopted",
      idOf(each.image, parts),
    );
    const { descriptor, bytes, tag } = now;
    const adopted = new Map(content.adopted);
    const [only] = parts;
    if (now.manifest !== undefined && only !== undefined) adopted.set(only.node.platform, now);
    const tags = new Map([...content.tags, [tag, descriptor.digest] as const]);
    published[at] = { ...each, content: { ...content, top: { descriptor, bytes }, tags, adopted } };
  }
}

/** The registry's image replaces the local one under the same key. */
function recordAdopted(session: Session, { content, parts, target }: Published): void {
  for (const part of parts) {
    const found = content.adopted.get(part.node.platform);
    if (found?.manifest === undefined || part.record === undefined) continue;
    const { schema: _, layers: __, ...record } = part.record;
    session.circumstances.records.putImage({
      ...record,
      imageId: found.manifest.config.digest,
      manifest: found.descriptor,
      remote: { host: target.client.host, repository: target.repository },
      at: Date.now(),
    });
    session.notice("The registry holds another image under this key; it is adopted", part.node.id);
  }
}

async function moveTags(
  session: Session,
  { image, target, content, parts }: Published,
  request: PushRequest,
  facts: GitFacts,
  { policy, allowed }: { readonly policy: MovePolicy; readonly allowed: boolean },
): Promise<DestinationResult[]> {
  const explicit = request.tags.length > 0;
  const tags = fillInTags(explicit ? request.tags : image.common.tags, facts);
  const results: DestinationResult[] = [];
  for (const tag of tags) {
    const reference = `${target.client.host}/${target.repository}:${tag}`;
    if (!allowed && !explicit) {
      const detail = "mutable tags move on the default branch or for a tag; --tag names one";
      results.push({ registry: target.registry, reference, status: "skipped", detail });
      continue;
    }
    try {
      results.push(await moveTag(target, tag, content.top, policy));
    } catch (error) {
      const fault = asFault(error, { where: reference });
      session.emit({ kind: "notice", message: describe(fault, request), id: idOf(image, parts) });
      results.push({
        registry: target.registry,
        reference,
        status: "failed",
        detail: fault.message,
      });
    }
  }
  return results;
}

function movePolicy(
  session: Session,
  request: PushRequest,
  { revision }: GitFacts,
): { policy: MovePolicy; allowed: boolean } {
  const env = Deno.env.toObject();
  const { root } = session.circumstances.project;
  const fetchOnce = () => session.once("commits", () => fetchCommits(root));
  const policy: MovePolicy = {
    ...(revision === undefined ? {} : { revision }),
    force: request.force,
    dryRun: request.dryRun,
    ancestry: (candidate, ours) => ancestryOf(root, candidate, ours, fetchOnce),
    notice: (message) => session.notice(message),
  };
  const branch = ciSystem(env) === "github" ? githubDefaultBranch(env) : undefined;
  return { policy, allowed: !isPullRequest(env) && mayMoveTags(env, branch) };
}

function contentResults({ target, content }: Published): DestinationResult[] {
  return [...content.tags].map(([tag, digest]) => ({
    registry: target.registry,
    reference: `${target.client.host}/${target.repository}:${tag}`,
    digest,
    status: content.status,
  }));
}

function failure(image: Image, { destination }: PushRequest, fault: Fault): DestinationResult {
  const { name, registry } = destination;
  const reference = `${registry.host}/${repositoryIn(registry, image)}`;
  return { registry: name, reference, status: "failed", detail: fault.message };
}

function setSkipped(
  destinations: Map<Subject, DestinationResult[]>,
  image: Image,
  parts: readonly SettledImage[],
  { destination: { name, registry } }: PushRequest,
  detail: string,
): void {
  const reference = `${registry.host}/${repositoryIn(registry, image)}`;
  destinations.set(idOf(image, parts), [{ registry: name, reference, status: "skipped", detail }]);
}

function describe(fault: Fault, { destination }: PushRequest): string {
  const next = fault.next === undefined ? "" : `; next: ${fault.next}`;
  const where = fault.where === undefined ? "" : `${fault.where}: `;
  return `Cannot publish to ${destination.name}: ${where}${fault.message}${next}`;
}

function partsOf(outcome: Outcome, image: Image): SettledImage[] {
  return outcome.settled.filter((each) =>
    each.node.type === "image" && each.node.image === image
  ) as SettledImage[];
}

/** Where results of an image are filed: its only node, or its index. */
function idOf(image: Image, parts: readonly SettledImage[]): Subject {
  return parts.length === 1 ? parts[0]!.node.id : image.name;
}

function progressOf(session: Session, id: Subject): (bytes: number) => void {
  let done = 0;
  return (bytes) => {
    done += bytes;
    session.emit({ kind: "progress", id, progress: { phase: "uploading", done, unit: "bytes" } });
  };
}
