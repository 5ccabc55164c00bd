/**
 * A run's view of registries: base images, what is published under a key, and blobs that are not
 * here. lib/registry is imported when the first of these is asked for.
 */

import type { Digest } from "../model/digest.ts";
import { asFault, Fault } from "../model/errors.ts";
import type { BlobPlace, LocalImage } from "../model/image.ts";
import type { Descriptor, Manifest } from "../model/oci.ts";
import type { Image, Project, Registry } from "../model/recipe.ts";
import { parseReference, type Reference } from "../model/reference.ts";
import type { ImageEvaluation } from "../plan/evaluate_image.ts";
import type { Holder } from "../registry/bases.ts";
import type { RegistryClient } from "../registry/client.ts";
import type { Location } from "../registry/mirrors.ts";
import type { NamedRegistry } from "../registry/publish/destination.ts";
import type { Published, TagRules } from "../registry/publish/lookup.ts";
import type { ImageRecord } from "../store/records.ts";
import { firstAnswer, NoAnswerInTime } from "./first_answer.ts";
import type { Session } from "./session.ts";
import { type BaseRequest, unreachableBase } from "./unreachable_base.ts";

/** An image that was found by its source key. */
export interface FoundSource {
  readonly named: NamedRegistry;
  readonly found: Published;
  readonly manifest: Manifest;
  /** The key that it names. */
  readonly key: string;
}

/** The registries of one run. */
export class RegistryAccess {
  readonly #project: Project;
  readonly #session: Session;
  readonly #clients = new Map<string, Promise<RegistryClient>>();
  readonly #silent = new Set<string>();
  /** Registry → settled when it has answered anything at all, in time or too late. */
  readonly #answered = new Map<string, Promise<void>>();
  /** Registry and reason for which people were told that a run goes on without it. */
  readonly #goesWithout = new Set<string>();
  /** Message, where a run goes on after failures → the fault that first said so. */
  readonly #refusals = new Map<string, Fault>();

  constructor(project: Project, session: Session) {
    this.#project = project;
    this.#session = session;
  }

  /**
   * The client of a host; declared registries give it their settings and credentials.
   *
   * @param insecure whether plain http is allowed although no declaration says so.
   */
  client(host: string, insecure = false): Promise<RegistryClient> {
    const known = this.#clients.get(host);
    if (known !== undefined) return known;
    const client = this.#connect(host, insecure);
    this.#clients.set(host, client);
    return client;
  }

  /** Repositories that may hold a base: its own, or what registries.conf names for it. */
  async locations(host: string, repository: string, byDigest: boolean): Promise<Location[]> {
    const mirrors = await this.#session.once("registries.conf", async () => {
      const { Mirrors } = await import("../registry/mirrors.ts");
      return await Mirrors.load(Deno.env.toObject());
    });
    return mirrors.locations(host, repository, byDigest);
  }

  /** The same, with their clients. */
  async #holders(host: string, repository: string, byDigest: boolean): Promise<Holder[]> {
    const locations = await this.locations(host, repository, byDigest);
    return await Promise.all(locations.map(async (location) => ({
      client: await this.client(location.host, location.insecure),
      repository: location.repository,
    })));
  }

  /** The digest that a base's reference stands for now, asked for once a run. */
  resolveBase(reference: string): Promise<Digest> {
    return this.#session.once(`base ${reference}`, async () => {
      const { resolveReference } = await import("../registry/bases.ts");
      const parsed = parseReference(reference);
      const holders = await this.#holders(parsed.host, parsed.repository, false);
      return await this.#reaching(parsed, "digest", resolveReference(holders, parsed));
    });
  }

  /** A base at a digest, on a platform. */
  base(reference: string, digest: Digest, platform: string): Promise<LocalImage> {
    return this.#session.once(`base ${reference} ${digest} ${platform}`, async () => {
      const { openBase } = await import("../registry/bases.ts");
      const parsed = parseReference(reference);
      const holders = await this.#holders(parsed.host, parsed.repository, true);
      const { layout } = this.#session.circumstances;
      const opening = openBase(holders, parsed, digest, platform, layout);
      return await this.#reaching(parsed, "content", opening);
    });
  }

  async #reaching<T>(reference: Reference, request: BaseRequest, asking: Promise<T>): Promise<T> {
    try {
      return await asking;
    } catch (error) {
      const { RegistryFault } = await import("../registry/faults.ts");
      const unreachable = error instanceof RegistryFault ? error.facts.unreachable : undefined;
      if (unreachable === undefined) throw error;
      throw unreachableBase(reference, request, unreachable, asFault(error));
    }
  }

  /** Where a repository is read: what we publish where it was written, all else where a base is. */
  async holdersOf(
    { host, repository }: { readonly host: string; readonly repository: string },
    byDigest: boolean,
  ): Promise<Holder[]> {
    const isDeclared = [...this.#project.registries.values()].some((each) => each.host === host);
    if (isDeclared) return [{ client: await this.client(host), repository }];
    return await this.#holders(host, repository, byDigest);
  }

  /** A blob in a registry's repository. */
  async openBlob(
    place: BlobPlace & { readonly at: "registry" },
    descriptor: Descriptor,
    signal?: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const holders = await this.holdersOf(place, true);
    const { openBaseLayer } = await import("../registry/bases.ts");
    return await openBaseLayer(holders, descriptor, signal);
  }

  /** A manifest or config in a registry's repository. */
  async readDocument(
    { host, repository }: { readonly host: string; readonly repository: string },
    descriptor: Descriptor,
  ): Promise<Uint8Array> {
    const client = await this.client(host);
    if (!descriptor.mediaType.includes("manifest")) {
      return await client.smallBlob(repository, descriptor);
    }
    const found = await client.manifest(repository, descriptor.digest);
    if (found !== undefined) return found.bytes;
    throw new Fault(`The manifest ${descriptor.digest} is gone`, {
      where: `${host}/${repository}`,
      next: "build the image again with --force",
    });
  }

  /**
   * The image that a registry holds under an evaluation's key, as a record; undefined where none
   * does, or none answers in time.
   */
  async find(evaluation: ImageEvaluation): Promise<ImageRecord | undefined> {
    const { node: { image, id } } = evaluation.prepared;
    const { settings, circumstances: { forced } } = this.#session;
    if (!settings.remote || forced.has(id)) return undefined;
    for (const named of this.candidates(image)) {
      const found = await this.ask(named, image, evaluation.key);
      if (found?.manifest === undefined) continue;
      const { remoteRecord } = await import("./remote_record.ts");
      return remoteRecord(evaluation, named, found, found.manifest);
    }
    return undefined;
  }

  /** Hosts of the registries an image may be in that have not failed to answer. */
  answering(image: Image): string[] {
    return this.candidates(image).filter(({ name }) => !this.#silent.has(name))
      .map(({ registry: { host } }) => host);
  }

  /** The image that a registry holds under a source key, the key it names, and where it is. */
  async findSource(image: Image, source: string): Promise<FoundSource | undefined> {
    if (!this.#session.settings.remote) return undefined;
    for (const named of this.candidates(image)) {
      const found = await this.#answer(named, image, () => this.#underSource(named, image, source));
      if (found?.manifest === undefined) continue;
      const { keyOf } = await import("../registry/publish/lookup.ts");
      return { named, found, manifest: found.manifest, key: keyOf(found)! };
    }
    return undefined;
  }

  /** The index that a registry holds under its key. */
  async findIndex(image: Image, key: string): Promise<Published | undefined> {
    for (const named of this.candidates(image)) {
      const found = await this.ask(named, image, key);
      if (found?.index !== undefined) return found;
    }
    return undefined;
  }

  /** The registries an image may be in: the destination first, where there is one. */
  candidates(image: Image): NamedRegistry[] {
    const { destination } = this.#session.settings;
    const all = [...this.#project.registries].map(([name, registry]) => ({ name, registry }))
      .filter(({ name }) => image.common.registries?.includes(name) ?? true);
    return all.sort((a, b) => Number(b.name === destination) - Number(a.name === destination));
  }

  /** Which of an image's content tags are read and written in a registry. */
  async rules(registry: Registry, image: Image): Promise<TagRules> {
    const { isPullRequest } = await import("../registry/publish/ci.ts");
    const plugin = await image.plugin.load();
    return {
      unmarked: plugin.publisher?.(image) !== undefined,
      pullRequest: isPullRequest(Deno.env.toObject()),
      trustPullRequests: registry.trustPullRequests,
    };
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    for (const client of this.#clients.values()) {
      await client.then((each) => each.close(), () => {});
    }
  }

  async #connect(host: string, insecure: boolean): Promise<RegistryClient> {
    const { RegistryClient } = await import("../registry/client.ts");
    const { covers, Credentials } = await import("../registry/credentials.ts");
    const declared = [...this.#project.registries].filter(([, registry]) => registry.host === host);
    const { signal } = this.#session;
    return new RegistryClient({
      host,
      insecure: insecure || declared.some(([, registry]) => registry.insecure),
      credentials: new Credentials({
        registries: declared.map(([name, { prefix }]) => ({ name, prefix })),
        signal,
      }),
      signal,
      isStrange: (repository) => !declared.some(([, { prefix }]) => covers(prefix, repository)),
      notice: (message) => {
        // Who is no longer waited for is not told of.
        const isLeft = declared.length > 0 && declared.every(([name]) => this.#silent.has(name));
        if (!isLeft) this.#session.notice(message);
      },
    });
  }

  /**
   * What a registry holds under a key. The destination of a push must answer; without the others
   * the run goes on, and says so once. A refusal says something of that repository only: it may just
   * not be there yet, which the destination tells who begins to write it.
   */
  async ask(named: NamedRegistry, image: Image, key: string): Promise<Published | undefined> {
    return await this.#answer(named, image, () => this.published(named, image, key));
  }

  async #answer(
    named: NamedRegistry,
    image: Image,
    ask: () => Promise<Published | undefined>,
  ): Promise<Published | undefined> {
    const { name } = named;
    if (this.#silent.has(name)) return undefined;
    const isDestination = this.#session.settings.destination === name;
    const asking = ask();
    try {
      return await (isDestination ? asking : this.#inTime(name, asking));
    } catch (error) {
      if (this.#session.signal.aborted) throw this.#session.signal.reason;
      const { isUnanswered, RegistryFault } = await import("../registry/faults.ts");
      const isDenied = error instanceof RegistryFault && error.facts.denied === true;
      if (isDestination) {
        if (!isDenied) throw this.#refusal(name, error);
        await this.#tryWriting(named, image);
        return undefined;
      }
      const isSilence = error instanceof NoAnswerInTime || isUnanswered(error);
      this.#goOnWithout(named, asFault(error), isSilence);
      if (isSilence) this.#silent.add(name);
      return undefined;
    }
  }

  /** Who may not look may still write; who may not write either hears so before anything is built. */
  async #tryWriting(named: NamedRegistry, image: Image): Promise<void> {
    if (this.#session.settings.publishes !== true) return;
    const { name, registry } = named;
    const { repositoryIn } = await import("../registry/publish/destination.ts");
    const repository = repositoryIn(registry, image);
    const client = await this.client(registry.host);
    try {
      await this.#session.once(
        `writing ${name} ${repository}`,
        () => client.tryWriting(repository),
      );
    } catch (error) {
      if (this.#session.signal.aborted) throw this.#session.signal.reason;
      const { RegistryFault } = await import("../registry/faults.ts");
      // Of credentials that are wrong one repository says what all would.
      const isOfOne = error instanceof RegistryFault && error.facts.status === 403;
      throw this.#refusal(name, error, isOfOne ? repository : "");
    }
  }

  /** Tells once for each reason that images are built without what a registry may hold. */
  #goOnWithout(
    { name, registry: { host } }: NamedRegistry,
    fault: Fault,
    isSilence: boolean,
  ): void {
    const reason = `${name} ${fault.message}`;
    if (this.#silent.has(name) || this.#goesWithout.has(reason)) return;
    this.#goesWithout.add(reason);
    const what = isSilence ? host : fault.where ?? host;
    this.#session.notice(
      `Going on without asking ${what}: ${fault.message}; --no-remote never asks`,
    );
  }

  async #underSource(
    { registry }: NamedRegistry,
    image: Image,
    source: string,
  ): Promise<Published | undefined> {
    const { lookUpSource } = await import("../registry/publish/lookup.ts");
    const { repositoryIn } = await import("../registry/publish/destination.ts");
    const client = await this.client(registry.host);
    const rules = await this.rules(registry, image);
    return await lookUpSource(client, repositoryIn(registry, image), source, rules);
  }

  /** What a registry holds under a key, asked for once a run. */
  published(
    { name, registry }: NamedRegistry,
    image: Image,
    key: string,
  ): Promise<Published | undefined> {
    return this.#session.once(`published ${name} ${image.name} ${key}`, async () => {
      const { lookUp } = await import("../registry/publish/lookup.ts");
      const { repositoryIn } = await import("../registry/publish/destination.ts");
      const repository = repositoryIn(registry, image);
      const client = await this.client(registry.host);
      const { destination, publishes = false } = this.#session.settings;
      if (publishes && name === destination) client.willWrite(repository);
      return await lookUp(client, repository, key, await this.rules(registry, image));
    });
  }

  /** Where every image fails for the same reason it is one fault, told once; the first ends a run. */
  #refusal(name: string, error: unknown, repository = ""): Fault {
    const fault = asFault(error, { where: name });
    const why = this.#session.keepGoing ? `${repository} ${fault.message}` : "";
    const known = this.#refusals.get(why);
    if (known === undefined) this.#refusals.set(why, fault);
    return known ?? fault;
  }

  /** Waits for a registry's first answer as long as patience lasts, and for later ones to the end. */
  async #inTime<T>(name: string, asking: Promise<T>): Promise<T> {
    const known = this.#answered.get(name);
    const first = known ?? firstAnswer(asking);
    if (known === undefined) this.#answered.set(name, first);
    asking.catch(() => {});
    await first;
    return await asking;
  }
}
