/** COPY --from an image whose layers hold one file under several names, or one name several times. */

import { assertEquals } from "@std/assert";
import { type TarEntry, writeTar } from "../../lib/oci/tar.ts";
import { filesOf } from "./files_of.ts";
import { Rig } from "./rig.ts";

const own = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };

function file(path: string, text: string): TarEntry {
  const content = new TextEncoder().encode(text);
  return { ...own, path, type: "file", size: content.length, content };
}

function hard(path: string, linkTarget: string): TarEntry {
  return { ...own, path, type: "hardlink", linkTarget };
}

function soft(path: string, linkTarget: string): TarEntry {
  return { ...own, mode: 0o777, path, type: "symlink", linkTarget };
}

/** What COPY instructions of an image with these layers give: path → text or link. */
async function copied(
  layers: readonly (readonly TarEntry[])[],
  ...lines: readonly string[]
): Promise<Record<string, string>> {
  await using rig = await Rig.create({
    "Dockerfile": ["FROM scratch", ...lines.map((it) => `COPY --from=base ${it}`)].join("\n"),
  });
  const base = await rig.image("base", layers);
  const { image } = await rig.build({
    options: { contexts: { base: { image: "base" } } },
    needs: { base },
  });
  const files = Object.entries(await filesOf(image.layers, { texts: true }));
  return Object.fromEntries(
    files.filter(([, line]) => !line.startsWith("folder"))
      .map(([path, line]) => [path, line.replace(/^(?:file 0644|link) 0:0 /, "")]),
  );
}

Deno.test("COPY --from gives a name's own bytes where a layer above has replaced its twin", async () => {
  const layers = [
    [file("bin/perl", "OLD-PERL"), hard("bin/perl5.36", "bin/perl")],
    [file("bin/perl", "NEW-PERL")],
  ];
  const both = { "/b/perl": "NEW-PERL", "/b/perl5.36": "OLD-PERL" };
  assertEquals(await copied(layers, "/bin /b/"), both);
  assertEquals(await copied(layers, "/bin/perl5.36 /bin/perl /b/"), both);
  const longer = [layers[0]!, [file("bin/perl", "NEWER-PERL")]];
  assertEquals(await copied(longer, "/bin /b/"), { ...both, "/b/perl": "NEWER-PERL" });
});

Deno.test("COPY --from follows hard links to hard links, to symlinks, and to layers below", async () => {
  const layers = [
    [
      file("usr/lib/a", "A"),
      hard("usr/lib/b", "usr/lib/a"),
      hard("usr/lib/c", "usr/lib/b"),
      soft("lib", "usr/lib"),
      soft("usr/lib/s", "a"),
      hard("usr/lib/t", "usr/lib/s"),
    ],
    [hard("lib/d", "lib/c")],
  ];
  assertEquals(await copied(layers, "/usr/lib /o/"), {
    "/o/a": "A",
    "/o/b": "A",
    "/o/c": "A",
    "/o/d": "A",
    "/o/s": "a",
    "/o/t": "a",
  });
  assertEquals(await copied(layers, "/lib/c /lib/t /o/"), { "/o/c": "A", "/o/t": "A" });
});

Deno.test("COPY --from takes the last of a layer's entries of one name, and a link the one before it", async () => {
  const twice = [[file("a", "1"), hard("b", "a"), file("a", "2"), file("z", "z")]];
  assertEquals(await copied(twice, "/a /b /z /o/"), { "/o/a": "2", "/o/b": "1", "/o/z": "z" });
  assertEquals(await copied(twice, "/b /o/"), { "/o/b": "1" });
  const thrice = [[file("a", "1"), file("a", "2"), hard("b", "a"), file("./a", "3")]];
  assertEquals(await copied(thrice, "/ /o/"), { "/o/a": "3", "/o/b": "2" });
});

Deno.test("two copies of an archive's hard links are files of their own", async () => {
  await using rig = await Rig.create({
    "Dockerfile": [
      "FROM scratch AS a",
      "ADD a.tar /from/",
      "FROM scratch AS b",
      "COPY --from=a /from /one/",
      "COPY --from=a --chown=7:8 --chmod=600 /from /two/",
      "FROM scratch",
      "COPY --from=b / /",
    ].join("\n"),
  });
  const archive = writeTar([file("x", "x"), hard("y", "x")]);
  await Deno.writeFile(`${rig.root}/a.tar`, ReadableStream.from(archive));
  const { image } = await rig.build();
  assertEquals(await filesOf(image.layers, { texts: true }), {
    "/one": "folder 0755 0:0",
    "/one/x": "file 0644 0:0 x",
    "/one/y": "file 0644 0:0 x",
    "/two": "folder 0755 7:8",
    "/two/x": "file 0600 7:8 x",
    "/two/y": "file 0600 7:8 x",
  });
});
