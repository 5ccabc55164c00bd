/**
 * The images of an index: those whose platform it tells, those whose config tells, and those of
 * indexes inside it. What is no image, such as attestations, is left unread.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md
 */

import { Fault } from "../model/errors.ts";
import { type Descriptor, MediaType } from "../model/oci.ts";
import { compatiblePlatforms, parsePlatform } from "../model/platform.ts";
import { MANIFEST_TYPES, parseConfig, parseIndex, parseManifest } from "./documents.ts";
import { isIndexType, type ManifestBytes, platformText } from "./open_image.ts";

/** Reads the documents that an index names. */
export interface IndexReader {
  /** A manifest or index; undefined where it is not there, as in mirrors of some platforms. */
  manifest(descriptor: Descriptor): Promise<ManifestBytes | undefined>;
  config(descriptor: Descriptor): Promise<Uint8Array>;
}

/** How deep indexes may be nested, and how many documents are read to learn platforms. */
const DEPTH_LIMIT = 8;
const READ_LIMIT = 200;

const CONFIG_TYPES: readonly string[] = [MediaType.config, MediaType.dockerConfig];

/** What BuildKit says of a manifest that tells how another was made. */
const ATTESTATION = "vnd.docker.reference.type";

/**
 * The image of an index for a platform, or for a lesser variant of it; undefined where there is none.
 *
 * @throws {Fault} where the index is malformed or nested too deep.
 */
export async function imageFor(
  index: ManifestBytes,
  platform: string,
  reader: IndexReader,
  name: string,
): Promise<Descriptor | undefined> {
  // Most indexes tell, and nothing else needs to be read.
  const told = parseIndex(index.bytes, name).manifests.find((child) =>
    isImage(child) && !isIndexType(child.mediaType) && platformIn(child) === platform
  );
  if (told !== undefined) return told;
  const walk = new IndexWalk(reader, name, platform);
  for await (const [each, descriptor] of walk.images(index)) {
    if (each === platform) return descriptor;
  }
  const lesser = compatiblePlatforms(platform).find((each) => walk.found.has(each));
  if (lesser === undefined && walk.found.size === 0 && walk.fault !== undefined) throw walk.fault;
  return lesser === undefined ? undefined : walk.found.get(lesser);
}

/** The images of an index by platform, the first of each. @throws {Fault} as {@link imageFor}. */
export async function imagesOf(
  index: ManifestBytes,
  reader: IndexReader,
  name: string,
): Promise<ReadonlyMap<string, Descriptor>> {
  const walk = new IndexWalk(reader, name, undefined);
  for await (const _ of walk.images(index));
  return walk.found;
}

class IndexWalk {
  readonly found = new Map<string, Descriptor>();
  /** The first document that could not be understood. */
  fault: Fault | undefined;
  readonly #reader: IndexReader;
  readonly #name: string;
  readonly #wanted: string | undefined;
  #reads = 0;

  constructor(reader: IndexReader, name: string, wanted: string | undefined) {
    this.#reader = reader;
    this.#name = name;
    this.#wanted = wanted;
  }

  async *images(
    { bytes }: ManifestBytes,
    depth = 1,
  ): AsyncGenerator<[platform: string, descriptor: Descriptor]> {
    if (depth > DEPTH_LIMIT) throw this.#tooLarge(`nested more than ${DEPTH_LIMIT} deep`);
    for (const child of parseIndex(bytes, this.#name).manifests) {
      const told = platformIn(child);
      if (!isImage(child) || !this.#mayHold(told)) continue;
      if (!isIndexType(child.mediaType) && told !== undefined) {
        yield* this.#image(told, child);
        continue;
      }
      const document = await this.#read(child);
      if (document === undefined) continue;
      if (isIndexType(document.descriptor.mediaType)) yield* this.images(document, depth + 1);
      else yield* this.#image(await this.#platformOf(document), child);
    }
  }

  *#image(platform: string | undefined, child: Descriptor): Generator<[string, Descriptor]> {
    if (platform === undefined || this.found.has(platform)) return;
    this.found.set(platform, child);
    yield [platform, child];
  }

  /** What is said to be for another architecture need not be read. */
  #mayHold(told: string | undefined): boolean {
    if (told === undefined || this.#wanted === undefined) return true;
    const [is, wanted] = [parsePlatform(told), parsePlatform(this.#wanted)];
    return is.os === wanted.os && is.architecture === wanted.architecture;
  }

  async #read(child: Descriptor): Promise<ManifestBytes | undefined> {
    if (++this.#reads > READ_LIMIT) {
      throw this.#tooLarge(`of more than ${READ_LIMIT} documents without a platform`);
    }
    return await this.#reader.manifest(child);
  }

  /** What a config says; undefined for what is no image. */
  async #platformOf({ bytes }: ManifestBytes): Promise<string | undefined> {
    try {
      const { config, artifactType } = parseManifest(bytes, this.#name);
      if (!isImageType(artifactType) || !CONFIG_TYPES.includes(config.mediaType)) return undefined;
      return platformText(parseConfig(await this.#reader.config(config), this.#name));
    } catch (error) {
      if (!(error instanceof Fault) || error.kind !== "failed") throw error;
      this.fault ??= error;
      return undefined;
    }
  }

  #tooLarge(what: string): Fault {
    return new Fault(`The index is ${what}`, {
      where: this.#name,
      next: "name one of its images by digest",
    });
  }
}

function platformIn({ platform }: Descriptor): string | undefined {
  return platform === undefined ? undefined : platformText(platform);
}

function isImage({ mediaType, artifactType, annotations, platform }: Descriptor): boolean {
  return MANIFEST_TYPES.includes(mediaType) && isImageType(artifactType) &&
    annotations?.[ATTESTATION] === undefined && platform?.os !== "unknown";
}

/** An image may name the type of its config as that of an artifact. */
function isImageType(artifactType: string | undefined): boolean {
  return artifactType === undefined || artifactType === "" || CONFIG_TYPES.includes(artifactType);
}
