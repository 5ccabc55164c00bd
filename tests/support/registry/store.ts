/** What a registry in memory holds. */

import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";

/** A manifest with its type. */
export interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** An upload that was begun and is not committed. */
export interface OpenUpload {
  readonly repository: string;
  readonly chunks: Uint8Array[];
  size: number;
}

/** Why something cannot be stored. */
export class Rejection extends Error {
  constructor(readonly status: number, readonly code: string) {
    super(code);
  }
}

/** Blobs and manifests by repository; everything that is stored is checked. */
export class MemoryStore {
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #manifests = new Map<string, StoredManifest>();
  readonly #uploads = new Map<string, OpenUpload>();
  #count = 0;

  /** Uploads that are not committed. */
  get openUploads(): number {
    return this.#uploads.size;
  }

  /** Digests of a repository's blobs. */
  blobsOf(repository: string): string[] {
    return [...this.#blobs.keys()].filter((key) => key.startsWith(`${repository}@`))
      .map((key) => key.slice(repository.length + 1));
  }

  /** A blob of a repository. */
  blob(repository: string, digest: string): Uint8Array | undefined {
    return this.#blobs.get(`${repository}@${digest}`);
  }

  /** Stores a blob whose digest is right. */
  putBlob(repository: string, digest: string, bytes: Uint8Array): void {
    if (digestOf(bytes) !== digest) throw new Rejection(400, "DIGEST_INVALID");
    this.#blobs.set(`${repository}@${digest}`, bytes);
  }

  /** Removes a blob of a repository. */
  removeBlob(repository: string, digest: string): void {
    this.#blobs.delete(`${repository}@${digest}`);
  }

  /** A manifest by tag or digest. */
  manifest(repository: string, reference: string): StoredManifest | undefined {
    return this.#manifests.get(`${repository}:${reference}`);
  }

  /** Tag → digest of a repository. */
  tagsOf(repository: string): Record<string, string> {
    const tags = [...this.#manifests].filter(([key]) => key.startsWith(`${repository}:`))
      .map(([key, { bytes }]) => [key.slice(repository.length + 1), digestOf(bytes)] as const)
      .filter(([tag]) => !tag.startsWith("sha256:"));
    return Object.fromEntries(tags);
  }

  /** Stores a manifest all of whose parts are there; answers with its digest. */
  putManifest(repository: string, reference: string, manifest: StoredManifest): string {
    const { config, layers = [], manifests = [] } = JSON.parse(
      new TextDecoder().decode(manifest.bytes),
    );
    for (const { digest } of [...(config === undefined ? [] : [config]), ...layers]) {
      if (!this.blob(repository, digest)) throw new Rejection(400, "MANIFEST_BLOB_UNKNOWN");
    }
    for (const { digest } of manifests) {
      if (!this.manifest(repository, digest)) throw new Rejection(400, "MANIFEST_UNKNOWN");
    }
    const digest = digestOf(manifest.bytes);
    if (reference.startsWith("sha256:") && reference !== digest) {
      throw new Rejection(400, "DIGEST_INVALID");
    }
    this.#manifests.set(`${repository}:${digest}`, manifest);
    this.#manifests.set(`${repository}:${reference}`, manifest);
    return digest;
  }

  /** Begins an upload. */
  begin(repository: string): string {
    const id = `upload-${++this.#count}`;
    this.#uploads.set(id, { repository, chunks: [], size: 0 });
    return id;
  }

  /** An upload that was begun in a repository. */
  upload(repository: string, id: string): OpenUpload {
    const upload = this.#uploads.get(id);
    if (upload?.repository !== repository) throw new Rejection(404, "BLOB_UPLOAD_UNKNOWN");
    return upload;
  }

  /** Adds to an upload. */
  append(upload: OpenUpload, bytes: Uint8Array): void {
    upload.chunks.push(bytes);
    upload.size += bytes.length;
  }

  /** Makes a blob of an upload. */
  commit(repository: string, id: string, digest: string): void {
    const bytes = new Uint8Array(Buffer.concat(this.upload(repository, id).chunks));
    this.putBlob(repository, digest, bytes);
    this.#uploads.delete(id);
  }

  /** Forgets an upload. */
  cancel(repository: string, id: string): void {
    this.upload(repository, id);
    this.#uploads.delete(id);
  }
}

/** The sha256 digest of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
