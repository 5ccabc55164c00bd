/**
 * Archives that ADD unpacks: tar, plain or compressed with gzip, zstd, bzip2 or xz.
 *
 * @see https://docs.docker.com/reference/dockerfile/#adding-local-tar-archives
 */

import { Fault } from "../../../lib/model/errors.ts";
import { MediaType } from "../../../lib/model/oci.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import { decompress } from "../../../lib/oci/decompress.ts";
import { isHeader } from "../../../lib/oci/tar_fields.ts";
import { readTar, type TarMember } from "../../../lib/oci/tar_read.ts";
import { isMachineAttribute, portableAttributes } from "../../../lib/oci/xattrs.ts";
import { isZstd } from "../../../lib/oci/zstd_frames.ts";
import { which } from "../../../lib/process/which.ts";
import { writeContent } from "../../../lib/util/write_all.ts";
import type { CopyRules } from "./copy.ts";
import type { Owner } from "./owner.ts";
import {
  below,
  cleanAbsolute,
  type Content,
  folderOf,
  type Node,
  PLAIN_FOLDER,
  type Rootfs,
  splitPath,
} from "./rootfs.ts";

const BLOCK = 512;

/** How a file is compressed, by its first bytes. */
const MAGIC: readonly { readonly bytes: readonly number[]; readonly kind: Compression }[] = [
  { bytes: [0x1f, 0x8b, 0x08], kind: "gzip" },
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

  /** Says whether a file is an archive that {@link unpack} unpacks. */
  async isArchive(path: string): Promise<boolean> {
    const stream = await this.#open(path);
    await stream?.cancel();
    return stream !== undefined;
  }

  /**
   * Unpacks a file if it is an archive.
   *
   * @param path absolute path of the file on this machine.
   * @param rules `owner` is that of all that is unpacked, and of that folder where it is made; by
   * default the archive's own. Folders that the archive only implies are root's, and modes are the
   * archive's, as in Docker.
   * @returns whether it was one.
   * @throws {Fault} where the program that decompresses it is missing, or a member cannot be in a
   * layer.
   */
  async unpack(path: string, tree: Rootfs, { to, owner, mode }: CopyRules): Promise<boolean> {
    const stream = await this.#open(path);
    if (stream === undefined) return false;
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (mode !== undefined) {
      this.#context.notice(`${name} is unpacked with its own modes: --chmod is not for archives`);
    }
    const base = tree.makeFolders(cleanAbsolute(to), { ...PLAIN_FOLDER, ...owner });
    const lost = new Set<string>();
    const files = new Map<Content, Placed[]>();
    for await (const member of readTar(stream)) {
      this.#context.signal.throwIfAborted();
      const placed = await this.#place(member, tree, base, owner);
      if (placed?.node.type === "file") {
        const { content } = placed.node;
        const known = files.get(content);
        if (known === undefined) files.set(content, [placed]);
        else known.push(placed);
      }
      if (member.hasAcl) lost.add("access control lists");
      for (const [name] of member.xattrs ?? []) if (isMachineAttribute(name)) lost.add(name);
    }
    for (const names of files.values()) if (names.length > 1) settleNames(tree, names);
    if (lost.size > 0) {
      const what = [...lost].sort().join(", ");
      this.#context.notice(`${name} holds ${what}, which have no place in an image: left out`);
    }
    return true;
  }

  async #place(
    member: TarMember,
    tree: Rootfs,
    base: string,
    owner: Owner | undefined,
  ): Promise<Placed | undefined> {
    const target = placeBelow(base, member.path);
    // Docker leaves the folder that is unpacked into as it is, whatever the archive says of "./".
    if (target === base && member.type === "directory") return undefined;
    if (target === base) throw new Fault(`"${member.path}" is no name of a file`);
    const { parent, name } = splitPath(target);
    const real = below(tree.makeFolders(parent), name);
    const node = await this.#node(member, tree, base, owner);
    const there = tree.lookup(real);
    if (there !== undefined && !(there.type === "directory" && node.type === "directory")) {
      tree.remove(real);
    }
    tree.put(real, node);
    return { path: real, node };
  }

  async #node(
    member: TarMember,
    tree: Rootfs,
    base: string,
    owner: Owner | undefined,
  ): Promise<Node> {
    const { type, mode, uid, gid, size, linkTarget = "", device } = member;
    const xattrs = portableAttributes(member.xattrs);
    const meta = { mode, uid, gid, ...owner, ...(xattrs === undefined ? {} : { xattrs }) };
    switch (type) {
      case "directory":
        return folderOf(meta);
      case "symlink":
        return { ...meta, type, mode: 0o777, target: linkTarget };
      case "hardlink": {
        const linked = tree.lookup(placeBelow(base, linkTarget));
        const changed = { uid: meta.uid, gid: meta.gid };
        if (linked?.type === "symlink") return { ...linked, ...changed };
        if (linked !== undefined && linked.type !== "directory") {
          return { ...linked, ...changed, mode };
        }
        throw new Fault(`${member.path} is a hard link to no file before it, ${linkTarget}`);
      }
      case "file": {
        const path = await this.#newFile();
        await writeContent(path, member.content(), { createNew: true });
        return { ...meta, type, size, content: { kind: "host", path, unpacked: true } };
      }
      default:
        return { ...meta, type, ...(device === undefined ? {} : { device }) };
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

/** A member where it is in the tree. */
interface Placed {
  readonly path: string;
  readonly node: Node;
}

/** All names of one file have the owner and mode that the archive gives the last of them. */
function settleNames(tree: Rootfs, names: readonly Placed[]): void {
  const { node } = names.at(-1)!;
  for (const { path } of names) {
    const there = tree.lookup(path);
    const isStill = there?.type === "file" && node.type === "file" &&
      there.content === node.content;
    if (isStill && there !== node) tree.put(path, node);
  }
}

/** A member's place below a folder. @throws {Fault} for a name that leads out of it. */
function placeBelow(base: string, path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) {
        throw new Fault(`"${path}" leads out of the folder that the archive is unpacked into`);
      }
    } else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.length === 0 ? base : below(base, parts.join("/"));
}

async function compressionOf(path: string): Promise<Compression> {
  using file = await Deno.open(path);
  const head = new Uint8Array(8);
  const length = await file.read(head) ?? 0;
  const found = MAGIC.find(({ bytes }) =>
    bytes.length <= length && bytes.every((byte, at) => head[at] === byte)
  );
  return found?.kind ?? (isZstd(head.subarray(0, length)) ? "zstd" : "none");
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
