/** What tests of the client share: clients, blobs and images made up for them. */

import { type ClientSettings, RegistryClient } from "../../lib/registry/client.ts";
import { Credentials } from "../../lib/registry/credentials.ts";
import { type Descriptor, MediaType } from "../../lib/model/oci.ts";
import { encodeManifest } from "../../lib/oci/documents.ts";
import { Sha256, sha256 } from "../../lib/oci/sha256.ts";

/** A client that does not wait long, with credentials from these variables only. */
export function clientOf(
  host: string,
  env: Readonly<Record<string, string>> = {},
  settings: Partial<ClientSettings> = {},
): RegistryClient & Disposable {
  const client = new RegistryClient({
    host,
    insecure: false,
    credentials: new Credentials({ registries: [{ name: "test", prefix: "" }], env }),
    signal: new AbortController().signal,
    env,
    pacing: { base: 1, cap: 4 },
    ...settings,
  });
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

/** The variables that hold credentials for {@link clientOf}. */
export function login(user: string, password: string): Record<string, string> {
  return { IMAGES_TEST_USERNAME: user, IMAGES_TEST_PASSWORD: password };
}

/** A blob of bytes at hand. */
export function blobOf(text: string): { descriptor: Descriptor; bytes: Uint8Array } {
  const bytes = new TextEncoder().encode(text);
  return {
    bytes,
    descriptor: { mediaType: MediaType.layer, digest: sha256(bytes), size: bytes.length },
  };
}

/** A blob of so many MiB that is made while it is read. */
export function largeBlob(mebibytes: number, seed = 1) {
  const pieces = mebibytes * 4;
  const piece = (at: number) => {
    const bytes = new Uint8Array(256 * 1024);
    new DataView(bytes.buffer).setFloat64(0, seed + at / pieces);
    return bytes;
  };
  const hash = new Sha256();
  for (let at = 0; at < pieces; at++) hash.update(piece(at));
  const descriptor: Descriptor = {
    mediaType: MediaType.layer,
    digest: hash.digest(),
    size: pieces * 256 * 1024,
  };
  let opened = 0;
  return {
    descriptor,
    /** How often it was opened. */
    get opened() {
      return opened;
    },
    open(): Promise<ReadableStream<Uint8Array>> {
      opened += 1;
      let at = 0;
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at === pieces) controller.close();
          else controller.enqueue(piece(at++));
        },
      }, { highWaterMark: 0 });
      return Promise.resolve(stream);
    },
  };
}

/** A manifest without layers whose config is a blob. */
export function manifestOf(config: Descriptor): Uint8Array {
  return encodeManifest({ config: { ...config, mediaType: MediaType.config }, layers: [] });
}

/** Reads a stream to its end, and says how long it was. */
export async function lengthOf(stream: ReadableStream<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += chunk.length;
  return length;
}
