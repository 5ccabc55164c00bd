/**
 * A run's view of registries: base images, what is published under a key, and blobs that are not
 * here. lib/registry is imported when the first of these is asked for.
 */

import type { Digest } from "../model/digest.ts";
import { asFault, Fault } from "../model/errors.ts";
import type { BlobPlace, LocalImage } from "../model/image.ts";
import type { Descriptor, Manifest } from "../model/oci.ts";
import type { Image, Project, Registry } from "../model/recipe.ts";
import { parseReference } from "../model/reference.ts";
import type { ImageEvaluation } from "../plan/evaluate_image.ts";
import type { RegistryClient } from "../registry/client.ts";
import type { Published, TagRules } from "../registry/publish/lookup.ts";
import type { ImageRecord } from "../store/records.ts";
import type { Session } from "./session.ts";

/** How long a registry may take to its first answer before a build goes on without it, in ms. */
const PATIENCE = 1_000;

/** A declared registry by its name. */
export interface NamedRegistry {
  readonly name: string;
  readonly registry: Registry;
}

/** The registries of one run. */
export class RegistryAccess {
  readonly #project: Project;
  readonly #session: Session;
  readonly #clients = new Map<string, Promise<RegistryClient>>();
  readonly #silent = new Set<string>();

  constructor(project: Project, session: Session) {
    this.#project = project;
    this.#session = session;
  }

  /** The client of a host; declared registries give it their settings and credentials. */
  client(host: string): Promise<RegistryClient> {
    const known = this.#clients.get(host);
    if (known !== undefined) return known;
    const client = this.#connect(host);
    this.#clients.set(host, client);
    return client;
  }

  /** The digest that a base's reference stands for now, asked for once a run. */
  resolveBase(reference: string): Promise<Digest> {
    return this.#session.once(`base ${reference}`, async () => {
      const { resolveReference } = await import("../registry/bases.ts");
      const parsed = parseReference(reference);
      return await resolveReference(await this.client(parsed.host), parsed);
    });
  }

  /** A base at a digest, on a platform. */
  base(reference: string, digest: Digest, platform: string): Promise<LocalImage> {
    return this.#session.once(`base ${reference} ${digest} ${platform}`, async () => {
      const { openBase } = await import("../registry/bases.ts");
      const parsed = parseReference(reference);
      return await openBase(await this.client(parsed.host), parsed, digest, platform);
    });
  }

  /** A blob in a registry's repository. */
  async openBlob(
    place: BlobPlace & { readonly at: "registry" },
    descriptor: Descriptor,
    signal?: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const client = await this.client(place.host);
    return await client.blob(place.repository, descriptor, signal ?? this.#session.signal);
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
      const found = await this.#ask(named, image, evaluation.key);
      if (found?.manifest === undefined) continue;
      const { repositoryIn } = await import("../registry/publish/destination.ts");
      const remote = { host: named.registry.host, repository: repositoryIn(named.registry, image) };
      return remoteRecord(evaluation, found.descriptor, found.manifest, remote);
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

  /** Which content tags are read and written in a registry. */
  async rules(registry: Registry): Promise<TagRules> {
    const { isPullRequest } = await import("../registry/publish/ci.ts");
    return {
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

  async #connect(host: string): Promise<RegistryClient> {
    const { RegistryClient } = await import("../registry/client.ts");
    const { Credentials } = await import("../registry/credentials.ts");
    const declared = [...this.#project.registries].filter(([, registry]) => registry.host === host);
    const { signal } = this.#session;
    return new RegistryClient({
      host,
      insecure: declared.some(([, { insecure }]) => insecure),
      credentials: new Credentials({
        registries: declared.map(([name, { prefix }]) => ({ name, prefix })),
        signal,
      }),
      signal,
      notice: (message) => this.#session.notice(message),
    });
  }

  /** A push insists on an answer; a build goes on without one, and says so once. */
  async #ask(
    { registry }: NamedRegistry,
    image: Image,
    key: string,
  ): Promise<Published | undefined> {
    const { host } = registry;
    if (this.#silent.has(host)) return undefined;
    const asking = this.published(registry, image, key);
    if (this.#session.settings.destination !== undefined) return await asking;
    try {
      return await inTime(asking, this.#session.signal);
    } catch (error) {
      if (this.#session.signal.aborted) throw error;
      const first = !this.#silent.has(host);
      this.#silent.add(host);
      if (first) {
        const why = asFault(error).message;
        this.#session.notice(`Building without asking ${host}: ${why}; --no-remote never asks`);
      }
      return undefined;
    }
  }

  /** What a registry holds under a key, asked for once a run. */
  published(registry: Registry, image: Image, key: string): Promise<Published | undefined> {
    return this.#session.once(`published ${registry.host} ${image.name} ${key}`, async () => {
      const { lookUp } = await import("../registry/publish/lookup.ts");
      const { repositoryIn } = await import("../registry/publish/destination.ts");
      const client = await this.client(registry.host);
      const rules = await this.rules(registry);
      return await lookUp(client, repositoryIn(registry, image), key, rules);
    });
  }
}

async function inTime<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Fault("it does not answer within a second")), PATIENCE);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  answer.catch(() => {});
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A record of what a registry holds: no blob of it need be here. */
function remoteRecord(
  evaluation: ImageEvaluation,
  manifest: Descriptor,
  { config }: Manifest,
  remote: { readonly host: string; readonly repository: string },
): ImageRecord {
  const { prepared, key, parts, reasons } = evaluation;
  const { node, tree, guard, recipe, reads, description } = prepared;
  return {
    schema: 1,
    name: node.image.name,
    platform: node.platform,
    key,
    parts,
    tree,
    ...(guard === undefined ? {} : { guard }),
    description: { recipe, reads, value: description },
    imageId: config.digest,
    manifest,
    remote,
    reasons,
    ms: 0,
    at: Date.now(),
  };
}
