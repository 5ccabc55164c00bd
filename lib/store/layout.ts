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
import { openRegularFile, readRegularFile, readRegularText } from "../util/regular_file.ts";
import { writeAtomic } from "./atomic.ts";
import { withLock } from "./lock.ts";
import { exists, type State } from "./state.ts";

/** The annotation that carries an image's name in `index.json`. */
const REF_NAME = "org.opencontainers.image.ref.name";

const MARKER = '{"imageLayoutVersion":"1.0.0"}';

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
    const bytes = readRegularFile(this.blobPath(digest));
    if (await hashBytes(bytes) !== hexOf(digest)) throw corrupt(digest, this.blobPath(digest));
    return bytes;
  }

  /** A small blob's bytes; undefined where it is missing, cannot be read, or is damaged. */
  async readIntact(digest: Digest): Promise<Uint8Array | undefined> {
    if (!this.has(digest)) return undefined;
    try {
      return await this.read(digest);
    } catch {
      return undefined;
    }
  }

  /**
   * A blob's bytes as a stream that fails before its end if they are not what the digest says. A
   * reader can have them read into its own buffer.
   */
  async open(digest: Digest): Promise<ReadableStream<Uint8Array>> {
    const { Sha256 } = await import("../oci/sha256.ts");
    const path = this.blobPath(digest);
    const file = openRegularFile(path);
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

  /** Writes a blob whose bytes are at hand; one that is here already is kept if it is intact. */
  async write(mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
    const digest = digestOfHex(await hashBytes(bytes));
    if (await this.readIntact(digest) === undefined) {
      this.#prepare();
      const path = this.blobPath(digest);
      removeFolder(path);
      writeAtomic(path, bytes);
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
    // What is there may be damaged.
    const path = this.blobPath(digest);
    removeFolder(path);
    temporary.moveTo(path);
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
        if (isSame(refs.get(name), descriptor) || !holds(name)) continue;
        if (descriptor === undefined) refs.delete(name);
        else refs.set(name, named(name, descriptor));
      }
      removeFolder(this.#indexPath);
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
    return [...changes].every(([name, descriptor]) => isSame(refs.get(name), descriptor));
  }

  #prepare(): void {
    this.#state.prepare();
    Deno.mkdirSync(`${this.#state.oci}/blobs/sha256`, { recursive: true });
    const marker = `${this.#state.oci}/oci-layout`;
    if (!isMarker(marker)) {
      removeFolder(marker);
      writeAtomic(marker, MARKER);
    }
    if (exists(this.#indexPath)) return;
    this.#renewed = true;
    writeAtomic(this.#indexPath, renderIndex(new Map()));
  }
}

function isSame(a: Descriptor | undefined, b: Descriptor | undefined): boolean {
  return a?.digest === b?.digest && a?.size === b?.size && a?.mediaType === b?.mediaType;
}

function named(name: string, descriptor: Descriptor): Descriptor {
  return { ...descriptor, annotations: { ...descriptor.annotations, [REF_NAME]: name } };
}

/** A file cannot replace a folder, such as a container engine makes where a file to mount is missing. */
function removeFolder(path: string): void {
  try {
    if (Deno.lstatSync(path).isDirectory) Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function isMarker(path: string): boolean {
  try {
    return readRegularText(path) === MARKER;
  } catch {
    return false;
  }
}

/** An index that is there and can be read; undefined where there is none. */
function readIndex(path: string): Index | "damaged" | undefined {
  try {
    const index = JSON.parse(readRegularText(path)) as Partial<Index> | null;
    return Array.isArray(index?.manifests) ? index as Index : "damaged";
  } catch (error) {
    // Whatever else stands there: its names are made again from the records.
    return error instanceof Deno.errors.NotFound ? undefined : "damaged";
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
