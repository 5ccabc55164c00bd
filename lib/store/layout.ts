/**
 * The OCI layout under `.images/oci`: blobs by digest, and `index.json`, which names the images
 * whose blobs are all here.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */

import { type Digest, digestOfHex, hexOf, isDigest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import { type Descriptor, type Index, MediaType } from "../model/oci.ts";
import { hashBytes } from "../oci/hash.ts";
import { writeAtomic } from "./atomic.ts";
import { withLock } from "./lock.ts";
import { exists, type State } from "./state.ts";

/** The annotation that carries an image's name in `index.json`. */
const REF_NAME = "org.opencontainers.image.ref.name";

/** Size of the pieces a blob is read in, in bytes. */
const CHUNK = 256 * 1024;

/** The layout of one project. */
export class Layout {
  readonly #state: State;
  #renewed = false;

  constructor(state: State) {
    this.#state = state;
  }

  /** Says whether its `index.json` was missing or damaged, so that it was begun anew. */
  get isRenewed(): boolean {
    return this.#renewed;
  }

  /** Absolute path of the layout's folder. */
  get folder(): string {
    return this.#state.oci;
  }

  /** Where a blob is, if it is. */
  blobPath(digest: Digest): string {
    return `${this.#state.oci}/blobs/sha256/${hexOf(digest)}`;
  }

  /** Says whether a blob is here, with the size it must have where that is known. */
  has(digest: Digest, size?: number): boolean {
    try {
      const info = Deno.statSync(this.blobPath(digest));
      return info.isFile && (size === undefined || info.size === size);
    } catch {
      return false;
    }
  }

  /** A small blob's bytes, checked. */
  async read(digest: Digest): Promise<Uint8Array> {
    const bytes = await Deno.readFile(this.blobPath(digest));
    if (await hashBytes(bytes) !== hexOf(digest)) throw corrupt(digest, this.blobPath(digest));
    return bytes;
  }

  /**
   * A blob's bytes as a stream that fails before its end if they are not what the digest says. A
   * reader can have them read into its own buffer.
   */
  async open(digest: Digest): Promise<ReadableStream<Uint8Array>> {
    const { Sha256 } = await import("../oci/sha256.ts");
    const path = this.blobPath(digest);
    const file = await Deno.open(path);
    const hash = new Sha256();
    return new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: CHUNK,
      pull(controller) {
        const request = controller.byobRequest!;
        const { buffer, byteOffset, byteLength } = request.view!;
        const space = new Uint8Array(buffer, byteOffset, byteLength);
        const count = file.readSync(space);
        if (count !== null) {
          hash.update(space.subarray(0, count));
          request.respond(count);
          return;
        }
        file.close();
        if (hash.digest() !== digest) return controller.error(corrupt(digest, path));
        controller.close();
        request.respond(0);
      },
      cancel() {
        file.close();
      },
    }, { highWaterMark: 0 });
  }

  /** Writes a blob whose bytes are at hand. */
  async write(mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
    const digest = digestOfHex(await hashBytes(bytes));
    if (!this.has(digest, bytes.length)) {
      this.#prepare();
      writeAtomic(this.blobPath(digest), bytes);
    }
    return { mediaType, digest, size: bytes.length };
  }

  /** Writes a blob while hashing it; it appears under its digest when it is whole. */
  async writeStream(
    mediaType: string,
    content: AsyncIterable<Uint8Array>,
    options: { readonly signal?: AbortSignal; readonly onBytes?: (bytes: number) => void } = {},
  ): Promise<Descriptor> {
    const { WrittenHash } = await import("./written_hash.ts");
    this.#prepare();
    using temporary = this.#state.temporaryFile("blob");
    using hash = new WrittenHash(temporary.path);
    let size = 0;
    for await (const chunk of content) {
      if (options.signal?.aborted) throw new Fault("Interrupted", { kind: "interrupted" });
      temporary.write(chunk);
      hash.add(chunk);
      size += chunk.length;
      options.onBytes?.(chunk.length);
    }
    const digest = await hash.digest();
    // What stands there may be damaged.
    temporary.moveTo(this.blobPath(digest));
    return { mediaType, digest, size };
  }

  /** The named images: name → descriptor of its manifest or index. */
  refs(): Map<string, Descriptor> {
    const index = readIndex(this.#indexPath);
    if (index === "damaged") {
      throw new Fault("The layout's index cannot be read", {
        where: this.#indexPath,
        next: "write it again with the tool that made the layout, e.g. `images build`",
      });
    }
    return namesOf(index);
  }

  /**
   * Names images, or takes names away (undefined). Writes nothing, and locks nothing, where all is so.
   *
   * @param holds asked under the lock whether a change still holds: another process may know better.
   */
  async setRefs(
    changes: ReadonlyMap<string, Descriptor | undefined>,
    holds: (name: string) => boolean = () => true,
  ): Promise<void> {
    if (this.#agrees(changes)) return;
    await withLock(this.#state.path("locks", "layout"), () => {
      this.#prepare();
      const index = readIndex(this.#indexPath);
      if (index === "damaged") this.#renewed = true;
      const refs = index === "damaged" ? new Map<string, Descriptor>() : namesOf(index);
      for (const [name, descriptor] of changes) {
        if (refs.get(name)?.digest === descriptor?.digest || !holds(name)) continue;
        if (descriptor === undefined) refs.delete(name);
        else refs.set(name, named(name, descriptor));
      }
      writeAtomic(this.#indexPath, renderIndex(refs));
    });
  }

  get #indexPath(): string {
    return `${this.#state.oci}/index.json`;
  }

  #agrees(changes: ReadonlyMap<string, Descriptor | undefined>): boolean {
    if (changes.size === 0) return true;
    const index = readIndex(this.#indexPath);
    if (index === undefined || index === "damaged") return false;
    const refs = namesOf(index);
    return [...changes].every(([name, descriptor]) =>
      refs.get(name)?.digest === descriptor?.digest
    );
  }

  #prepare(): void {
    this.#state.prepare();
    Deno.mkdirSync(`${this.#state.oci}/blobs/sha256`, { recursive: true });
    const marker = `${this.#state.oci}/oci-layout`;
    if (!exists(marker)) writeAtomic(marker, '{"imageLayoutVersion":"1.0.0"}');
    if (exists(this.#indexPath)) return;
    this.#renewed = true;
    writeAtomic(this.#indexPath, renderIndex(new Map()));
  }
}

function named(name: string, descriptor: Descriptor): Descriptor {
  return { ...descriptor, annotations: { ...descriptor.annotations, [REF_NAME]: name } };
}

/** An index that is there and can be read; undefined where there is none. */
function readIndex(path: string): Index | "damaged" | undefined {
  try {
    const index = JSON.parse(Deno.readTextFileSync(path)) as Partial<Index> | null;
    return Array.isArray(index?.manifests) ? index as Index : "damaged";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof SyntaxError) return "damaged";
    throw error;
  }
}

function namesOf(index: Index | undefined): Map<string, Descriptor> {
  const refs = new Map<string, Descriptor>();
  for (const descriptor of index?.manifests ?? []) {
    const name = descriptor?.annotations?.[REF_NAME];
    if (name !== undefined && isDigest(descriptor.digest)) refs.set(name, descriptor);
  }
  return refs;
}

function renderIndex(refs: ReadonlyMap<string, Descriptor>): string {
  const manifests = [...refs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, descriptor]) =>
    descriptor
  );
  return JSON.stringify({ schemaVersion: 2, mediaType: MediaType.index, manifests });
}

function corrupt(digest: Digest, path: string): Fault {
  return new Fault(`The blob ${digest} does not hold what its name says`, {
    where: path,
    next: "remove the file and build again",
  });
}
