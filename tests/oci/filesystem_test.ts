import { assertEquals, assertRejects } from "@std/assert";
import { ImageFilesystem } from "../../lib/oci/filesystem.ts";
import { type ListedFile, type Listing, listLayer } from "../../lib/oci/listing.ts";
import { Fault } from "../../lib/model/errors.ts";
import type { OpenableLayer } from "../../lib/model/image.ts";
import { MediaType } from "../../lib/model/oci.ts";
import { Compressor } from "../../lib/oci/compress.ts";
import { sha256 } from "../../lib/oci/sha256.ts";
import { type TarEntry, writeTar } from "../../lib/oci/tar.ts";

function dir(path: string): ListedFile {
  return { path, type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0 };
}

function plain(path: string, size = 1): ListedFile {
  return { path, type: "file", mode: 0o644, uid: 0, gid: 0, size };
}

function link(path: string, linkTarget: string): ListedFile {
  return { path, type: "symlink", mode: 0o777, uid: 0, gid: 0, size: 0, linkTarget };
}

function listing(files: ListedFile[], removed: string[] = [], opaque: string[] = []): Listing {
  return { files, removed, opaque };
}

Deno.test("ImageFilesystem applies removals and hidden folders of upper layers", () => {
  const filesystem = new ImageFilesystem([
    listing([dir("/a"), plain("/a/1"), plain("/a/2"), dir("/b"), plain("/b/1"), plain("/c")]),
    listing([plain("/b/2")], ["/a/1", "/c"], ["/b"]),
    listing([plain("/a")]),
  ]);
  assertEquals(filesystem.entries().map(({ path, layer }) => [path, layer]), [
    ["/a", 2],
    ["/b", 0],
    ["/b/2", 1],
  ]);
});

Deno.test("ImageFilesystem follows links inside the image, and no further", () => {
  const filesystem = new ImageFilesystem([
    listing([
      dir("/usr"),
      dir("/usr/bin"),
      plain("/usr/bin/sh"),
      link("/bin", "usr/bin"),
      link("/abs", "/usr/bin/sh"),
      link("/out", "../../../../usr/bin/sh"),
      link("/loop", "loop"),
      link("/dangling", "nowhere"),
    ]),
    listing([plain("/bin/added")]),
  ]);
  assertEquals(filesystem.resolve("/bin/sh")?.path, "/usr/bin/sh");
  assertEquals(filesystem.resolve("/abs")?.path, "/usr/bin/sh");
  assertEquals(filesystem.resolve("/out")?.path, "/usr/bin/sh");
  assertEquals(filesystem.resolve("/loop"), undefined);
  assertEquals(filesystem.resolve("/dangling"), undefined);
  assertEquals(filesystem.resolve("/bin/added")?.path, "/usr/bin/added");
  assertEquals(filesystem.get("/bin")?.type, "symlink");
  assertEquals(filesystem.children("/usr/bin"), ["added", "sh"]);
});

Deno.test("ImageFilesystem tells what higher layers overwrite or delete", () => {
  const hard: ListedFile = { ...plain("/hard", 0), hardLinkTo: "/linked" };
  const filesystem = new ImageFilesystem([
    listing([plain("/over", 5), plain("/gone", 7), plain("/kept", 9), plain("/linked", 11), hard]),
    listing([dir("/d"), plain("/d/1", 13), plain("/d/empty", 0)]),
    listing([plain("/over", 6)], ["/gone", "/linked"], ["/d"]),
    listing([plain("/over", 8)]),
  ]);
  assertEquals(filesystem.wasted(), [
    { path: "/d/1", size: 13, layer: 1, by: 2, how: "deleted" },
    { path: "/gone", size: 7, layer: 0, by: 2, how: "deleted" },
    { path: "/over", size: 5, layer: 0, by: 2, how: "overwritten" },
    { path: "/over", size: 6, layer: 2, by: 3, how: "overwritten" },
  ]);
});

function layerOf(
  entries: readonly TarEntry[],
  compression: "gzip" | "zstd" | "none",
  diffId = sha256("not checked here"),
): OpenableLayer {
  const digest = sha256("not checked here");
  return {
    descriptor: { mediaType: MediaType.layer, digest, size: 0 },
    diffId,
    places: [],
    open: () => {
      const compressor = new Compressor();
      return Promise.resolve(
        ReadableStream.from(compressor.compress(writeTar(entries), compression)),
      );
    },
  };
}

for (const compression of ["none", "gzip", "zstd"] as const) {
  Deno.test(`listLayer() reads a layer compressed with ${compression}, whatever its names look like`, async () => {
    const common = { mode: 0o644, uid: 1, gid: 2, mtime: 0 };
    const found = await listLayer(layerOf([
      { ...common, path: "./", type: "directory", mode: 0o755 },
      { ...common, path: "./a/b", type: "file", content: new Uint8Array(3) },
      { ...common, path: "/nix/store/x", type: "file", content: new Uint8Array(4) },
      { ...common, path: "../../escape", type: "file" },
      { ...common, path: "a/.wh.gone", type: "file" },
      { ...common, path: "b/.wh..wh..opq", type: "file" },
      { ...common, path: "hard", type: "hardlink", linkTarget: "a/b" },
    ], compression));
    assertEquals(found.files.map(({ path, size, uid }) => [path, size, uid]), [
      ["/", 0, 1],
      ["/a/b", 3, 1],
      ["/nix/store/x", 4, 1],
      ["/escape", 0, 1],
      ["/hard", 0, 1],
    ]);
    assertEquals(found.removed, ["/a/gone"]);
    assertEquals(found.opaque, ["/b"]);
    const filesystem = new ImageFilesystem([found]);
    assertEquals(filesystem.get("/hard")?.size, 3);
  });
}

Deno.test("listLayer() tells contents, times and packages where they are asked for", async () => {
  const text = new TextEncoder().encode("P:musl\nV:1.2\n");
  const common = { mode: 0o644, uid: 0, gid: 0, mtime: 7 };
  const layer = layerOf([
    { ...common, path: "lib/apk/db/installed", type: "file", content: text },
    { ...common, path: "empty", type: "file" },
    { ...common, path: "link", type: "symlink", linkTarget: "empty" },
  ], "gzip");
  const { files } = await listLayer(layer, undefined, { contents: true });
  assertEquals(files.map(({ path, digest, mtime, packages }) => [path, digest, mtime, packages]), [
    [
      "/lib/apk/db/installed",
      sha256(text),
      7,
      [{ manager: "apk", name: "musl", version: "1.2" }],
    ],
    ["/empty", sha256(""), 7, undefined],
    ["/link", undefined, 7, undefined],
  ]);
});

Deno.test("listLayer() refuses a layer that is not what its diff ID says", async () => {
  const entry = { path: "a", type: "file", mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;
  const chunks = await Array.fromAsync(writeTar([entry]));
  const right = sha256(new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()));
  assertEquals((await listLayer(layerOf([entry], "zstd", right))).files.length, 1);
  await assertRejects(
    () => listLayer(layerOf([entry], "zstd", sha256("of another image"))),
    Fault,
    "as the config says",
  );
});
