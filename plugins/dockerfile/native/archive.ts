/**
 * Archives that ADD unpacks: tar, plain or compressed with gzip, zstd, bzip2 or xz.
 *
 * @see https://docs.docker.com/reference/dockerfile/#adding-local-tar-archives
 */

import { Fault } from "../../../lib/model/errors.ts";
import { MediaType } from "../../../lib/model/oci.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import { decompress, readTar, type TarMember } from "../../../lib/oci/tar_read.ts";
import { which } from "../../../lib/process/which.ts";
import { writeContent } from "../../../lib/util/write_all.ts";
import type { Owner } from "./owner.ts";
import {
  cleanAbsolute,
  folderOf,
  type Meta,
  type Node,
  PLAIN_FOLDER,
  type Rootfs,
  splitPath,
} from "./rootfs.ts";

const BLOCK = 512;

/** How a file is compressed, by its first bytes. */
const MAGIC: readonly { readonly bytes: readonly number[]; readonly kind: Compression }[] = [
  { bytes: [0x1f, 0x8b, 0x08], kind: "gzip" },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], kind: "zstd" },
  { bytes: [0x42, 0x5a, 0x68], kind: "bzip2" },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], kind: "xz" },
];

type Compression = "none" | "gzip" | "zstd" | "bzip2" | "xz";

/** Unpacks archives of one build into trees. */
export class Unpacker {
  readonly #context: BuildContext;
  #folder: Promise<string> | undefined;
  #files = 0;

  constructor(context: BuildContext) {
    this.#context = context;
  }

  /**
   * Unpacks a file if it is an archive.
   *
   * @param path absolute path of the file on this machine.
   * @param to absolute path of the folder it is unpacked into.
   * @param owner owner of that folder where it is made; what is in it has the archive's owners.
   * @returns whether it was one.
   * @throws {Fault} where the program that decompresses it is missing.
   */
  async unpack(path: string, tree: Rootfs, to: string, owner?: Owner): Promise<boolean> {
    const stream = await this.#open(path);
    if (stream === undefined) return false;
    const base = tree.makeFolders(cleanAbsolute(to), { ...PLAIN_FOLDER, ...owner });
    const leftOut = new Set<string>();
    for await (const member of readTar(stream)) {
      this.#context.signal.throwIfAborted();
      await this.#place(member, tree, base, leftOut);
    }
    return true;
  }

  async #place(
    member: TarMember,
    tree: Rootfs,
    base: string,
    leftOut: Set<string>,
  ): Promise<void> {
    const target = joinBelow(base, member.path);
    const meta = { mode: member.mode & 0o7777, uid: member.uid, gid: member.gid };
    // Docker leaves the folder that is unpacked into as it is, whatever the archive says of "./".
    if (target === base) return;
    const { parent, name } = splitPath(target);
    const real = joinBelow(tree.makeFolders(parent), name);
    const node = await this.#node(member, tree, base, meta, leftOut);
    if (node === undefined) {
      leftOut.add(real);
      return;
    }
    const there = tree.lookup(real);
    if (there !== undefined && !(there.type === "directory" && node.type === "directory")) {
      tree.remove(real);
    }
    tree.put(real, node);
  }

  async #node(
    member: TarMember,
    tree: Rootfs,
    base: string,
    meta: Meta,
    leftOut: ReadonlySet<string>,
  ): Promise<Node | undefined> {
    switch (member.type) {
      case "directory":
        return folderOf(meta);
      case "symlink":
        return { ...meta, type: "symlink", mode: 0o777, target: member.linkTarget ?? "" };
      case "hardlink": {
        const target = joinBelow(base, member.linkTarget ?? "");
        if (leftOut.has(target)) return undefined;
        const linked = tree.lookup(target);
        if (linked !== undefined && linked.type !== "directory") return linked;
        throw new Fault(`${member.path} is a hard link to no file before it, ${member.linkTarget}`);
      }
      case "file": {
        const path = await this.#newFile();
        await writeContent(path, member.content(), { createNew: true });
        return { ...meta, type: "file", size: member.size, content: { kind: "host", path } };
      }
      default:
        // Devices, pipes and the like have no place in a layer that anybody may unpack.
        return undefined;
    }
  }

  async #newFile(): Promise<string> {
    this.#folder ??= this.#context.scratch().then((dir) =>
      Deno.makeTempDir({ dir, prefix: "archive-" })
    );
    return `${await this.#folder}/${this.#files++}`;
  }

  /** The archive's uncompressed bytes; undefined where the file is no archive. */
  async #open(path: string): Promise<ReadableStream<Uint8Array> | undefined> {
    const kind = await compressionOf(path);
    let plain: ReadableStream<Uint8Array>;
    if (kind === "bzip2" || kind === "xz") plain = await this.#decompressBy(kind, path);
    else {
      const { readable } = await Deno.open(path);
      plain = kind === "none"
        ? readable
        : decompress(readable, kind === "gzip" ? MediaType.layerGzip : MediaType.layerZstd);
    }
    return await startingWithHeader(plain);
  }

  async #decompressBy(
    program: "bzip2" | "xz",
    path: string,
  ): Promise<ReadableStream<Uint8Array>> {
    if (which(program) === undefined) {
      throw new Fault(`${program} is needed to unpack ${path}`, {
        kind: "unavailable",
        next: `install ${program === "xz" ? "xz-utils" : program}, or compress it with gzip`,
      });
    }
    const out = await this.#newFile();
    await this.#context.run(
      ["sh", "-c", 'exec "$1" --decompress --stdout < "$2" > "$3"', "sh", program, path, out],
    );
    return (await Deno.open(out)).readable;
  }
}

/** A member's place below a folder; it cannot lead out of it. */
function joinBelow(base: string, path: string): string {
  const inner = cleanAbsolute(`/${path}`);
  return inner === "/" ? base : `${base === "/" ? "" : base}${inner}`;
}

async function compressionOf(path: string): Promise<Compression> {
  using file = await Deno.open(path);
  const head = new Uint8Array(8);
  const length = await file.read(head) ?? 0;
  const found = MAGIC.find(({ bytes }) =>
    bytes.length <= length && bytes.every((byte, at) => head[at] === byte)
  );
  return found?.kind ?? "none";
}

/** The stream again from its start, if it begins with a tar header whose checksum is right. */
async function startingWithHeader(
  stream: ReadableStream<Uint8Array>,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    while (length < BLOCK) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      length += value.length;
    }
  } catch {
    return undefined; // it only began like a compressed file
  }
  if (!isHeader(joined(chunks, Math.min(length, BLOCK)))) {
    await reader.cancel();
    return undefined;
  }
  return new ReadableStream({
    async pull(controller) {
      const chunk = chunks.shift() ?? (await reader.read()).value;
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk.subarray(0, length - at), at);
    at += Math.min(chunk.length, length - at);
  }
  return out;
}

/** The checksum counts its own eight bytes, at 148, as spaces. */
function isHeader(block: Uint8Array): boolean {
  if (block.length < BLOCK) return false;
  const written = new TextDecoder().decode(block.subarray(148, 156)).replace(/\0[^]*$/, "").trim();
  if (!/^[0-7]+$/.test(written)) return false;
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  return sum === parseInt(written, 8);
}
