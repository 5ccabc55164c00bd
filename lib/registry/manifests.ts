/** Manifests and indexes of a registry. */

import { type Digest, isDigest } from "../model/digest.ts";
import type { Descriptor } from "../model/oci.ts";
import { DOCUMENT_LIMIT, documentType, MANIFEST_TYPES } from "../oci/documents.ts";
import { sha256 } from "../oci/sha256.ts";
import type { Answer } from "./answer.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Question } from "./question.ts";
import { RegistryFault, unlessDenied } from "./faults.ts";
import { refusalOfManifest } from "./manifest_refusals.ts";
import { pullScope, pushScope } from "./scope.ts";

/** Statuses of a `HEAD` that is not understood, or refused without a word: `GET` tells more. */
const HEAD_REFUSALS = [400, 403, 405, 406, 410, 411, 415, 421, 501];

/** A manifest or index, and its exact bytes. */
export interface FoundManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** How often a manifest is sent again whose parts the registry does not see. */
const LOOKS = 3;

/** Reads and writes manifests. */
export class Manifests {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** What a tag or digest stands for; where the headers do not tell, by reading it. */
  async probe(repository: string, reference: string): Promise<Descriptor | undefined> {
    const answer = await this.#endpoint.ask({
      ...this.#reading(repository, reference),
      method: "HEAD",
      accepts: [200, 404, ...HEAD_REFUSALS],
    });
    await answer.discard();
    if (answer.status === 404) return undefined;
    const mediaType = typeOf(answer);
    const digest = answer.header("docker-content-digest");
    const size = answer.length;
    const isWhole = answer.status === 200 && MANIFEST_TYPES.includes(mediaType) &&
      isDigest(digest) &&
      size !== undefined && size > 0;
    if (!isWhole) return (await this.get(repository, reference))?.descriptor;
    if (isDigest(reference) && digest !== reference) {
      throw this.#wrong(repository, reference, digest);
    }
    return { mediaType, digest, size };
  }

  /** A manifest or index; undefined where there is none. */
  async get(repository: string, reference: string): Promise<FoundManifest | undefined> {
    const { answer, bytes, complete } = await this.#endpoint.read({
      ...this.#reading(repository, reference),
      method: "GET",
      accepts: [200, 404],
    }, DOCUMENT_LIMIT);
    if (answer.status === 404) return undefined;
    const where = `${this.#endpoint.host}/${repository}:${reference}`;
    if (!complete) {
      throw new RegistryFault(`The manifest has over ${DOCUMENT_LIMIT} bytes`, { noImage: true }, {
        where,
        next: "check that the reference names a container image",
      });
    }
    const digest = sha256(bytes);
    const stored = answer.header("docker-content-digest");
    const expected = isDigest(reference) ? reference : stored;
    if (isDigest(expected) && expected !== digest) {
      throw this.#wrong(repository, reference, digest);
    }
    // Whoever reads it goes by what it is, whatever the registry calls it.
    const mediaType = documentType(bytes) ??
      (MANIFEST_TYPES.includes(typeOf(answer)) ? typeOf(answer) : undefined);
    if (mediaType === undefined) {
      throw new RegistryFault("What the registry answers with is no image manifest", {
        noImage: true,
      }, {
        where,
        next: "check that the reference names a container image",
      });
    }
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }

  /** Writes a manifest; answers with its digest. */
  async put(
    repository: string,
    reference: string,
    mediaType: string,
    bytes: Uint8Array,
  ): Promise<Digest> {
    const digest = sha256(bytes);
    const attempts = this.#endpoint.pacer.attempts();
    for (;;) {
      try {
        const answer = await this.#endpoint.ask({
          method: "PUT",
          at: `/v2/${repository}/manifests/${reference}`,
          repository,
          scopes: [pushScope(repository)],
          action: "write the manifest",
          accepts: [200, 201, 202, 204],
          headers: { "content-type": mediaType },
          body: () => bytes,
        });
        const stored = answer.header("docker-content-digest");
        await answer.discard();
        if (isDigest(stored) && stored !== digest) throw this.#wrong(repository, digest, stored);
        return digest;
      } catch (error) {
        if (!(error instanceof RegistryFault)) throw error;
        const fault = refusalOfManifest(error, `${this.#endpoint.host}/${repository}`, reference);
        if (fault.facts.immutable && await this.#isThere(repository, reference, digest)) {
          return digest;
        }
        // Another run may be sending the same parts at this moment.
        const again = fault.facts.lacksPart && attempts.failures < LOOKS;
        if (!again || !attempts.mayRetry(fault)) throw fault;
        await attempts.pause(fault, this.#endpoint.signal);
      }
    }
  }

  /** Whether a tag that cannot be replaced stands for what it should already. */
  async #isThere(repository: string, reference: string, digest: Digest): Promise<boolean> {
    return (await unlessDenied(this.probe(repository, reference)))?.digest === digest;
  }

  #reading(repository: string, reference: string): Omit<Question, "method" | "accepts"> {
    return {
      at: `/v2/${repository}/manifests/${reference}`,
      repository,
      scopes: [pullScope(repository)],
      action: "read the manifest",
      // docker-registry answers 404 where the type is not named.
      headers: { accept: MANIFEST_TYPES.join(", ") },
    };
  }

  #wrong(repository: string, reference: string, found: string): RegistryFault {
    return new RegistryFault(`The registry has ${found} in the place of ${reference}`, {
      noImage: true,
    }, {
      where: `${this.#endpoint.host}/${repository}`,
      next: this.#endpoint.isStrange(repository)
        ? "choose another tag or digest, or take the image from elsewhere"
        : "push the image again; the registry's storage may be damaged",
    });
  }
}

function typeOf(answer: Answer): string {
  return (answer.header("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}
