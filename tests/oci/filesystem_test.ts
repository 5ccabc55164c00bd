import { assertEquals } from "@std/assert";
import {
  ImageFilesystem,
  type ListedFile,
  type Listing,
  listLayer,
} from "../../lib/oci/filesystem.ts";
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

function layerOf(
  entries: readonly TarEntry[],
  compression: "gzip" | "zstd" | "none",
): OpenableLayer {
  const digest = sha256("not checked here");
  return {
    descriptor: { mediaType: MediaType.layer, digest, size: 0 },
    diffId: digest,
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
