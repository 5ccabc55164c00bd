/** What ADD makes of archives, and COPY --from of layers: carried as it is, or refused by name. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { zstdCompressSync } from "node:zlib";
import { Fault } from "../../lib/model/errors.ts";
import type { TarEntry } from "../../lib/oci/tar.ts";
import { readTar } from "../../lib/oci/tar_read.ts";
import { base256, joined, rawEntry, rawPax, rawTar } from "../oci/raw_tar.ts";
import { filesOf, type FileTable } from "./files_of.ts";
import { Rig } from "./rig.ts";

const CAPABILITY = Uint8Array.from([
  1,
  0,
  0,
  2,
  0,
  4,
  0,
  0,
  0,
  0,
  0x0a,
  0,
  0xff,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
]);
const NULL_DEVICE = {
  329: new TextEncoder().encode("0000001\0"),
  337: new TextEncoder().encode("0000003\0"),
};

/** What ADD of an archive gives, and what was told on the way. */
async function added(
  tar: Uint8Array,
  instruction = "ADD a.tar /",
): Promise<{ files: FileTable; notices: readonly string[] }> {
  await using rig = await Rig.create({ "Dockerfile": `FROM scratch\n${instruction}\n` });
  Deno.writeFileSync(`${rig.root}/a.tar`, tar);
  const { image } = await rig.build();
  return { files: await filesOf(image.layers, { texts: true }), notices: rig.notices };
}

/** The fault of an ADD of an archive. */
async function refusal(tar: Uint8Array): Promise<Fault> {
  return await assertRejects(() => added(tar), Fault);
}

Deno.test("ADD keeps attributes, devices, pipes, and names of any bytes", async () => {
  const latin = new Uint8Array([0x6d, 0xfa]);
  const other = new Uint8Array([0x6d, 0xf9]);
  const { files, notices } = await added(rawTar(
    rawEntry({ name: "label", type: "V", format: "gnu" }),
    rawPax([
      ["SCHILY.xattr.security.capability", CAPABILITY],
      ["SCHILY.xattr.security.selinux", "label"],
      ["SCHILY.xattr.user.note", "n"],
      ["SCHILY.acl.access", "user::rw-"],
    ]),
    rawEntry({ name: "ping", mode: 0o4755 }, "p"),
    rawPax([["SCHILY.xattr.user.folder", "f"]]),
    rawEntry({ name: "d/", type: "5", mode: 0o750 }),
    rawEntry({ name: "d/hard", type: "1", link: "ping", mode: 0o4755 }),
    rawEntry({ name: "null", type: "3", mode: 0o666, more: NULL_DEVICE }),
    rawEntry({ name: "pipe", type: "6" }),
    rawEntry({ name: latin }, "ú"),
    rawEntry({ name: other, mtime: base256(-86_400n, 12) }, "ù"),
    rawEntry({ name: "link", type: "2", link: latin }),
  ));
  const ping = `file 4755 0:0 p security.capability=${CAPABILITY.toBase64()} user.note=bg==`;
  assertEquals(files, {
    "/d": "folder 0750 0:0",
    "/d/hard": ping,
    "/link": "link 0:0 m\udcfa",
    [`/m${"\udcf9"}`]: "file 0644 0:0 ù",
    [`/m${"\udcfa"}`]: "file 0644 0:0 ú",
    "/null": "character 0666 0:0 1 3",
    "/ping": ping,
    "/pipe": "fifo 0644 0:0",
  });
  assertEquals(notices, [
    "a.tar holds access control lists, security.selinux, which have no place in an image: left out",
  ]);
});

Deno.test("ADD --chown is for all that an archive holds, and for no folder that it implies", async () => {
  const tar = rawTar(
    rawEntry({ name: "d/", type: "5", uid: 5, gid: 6, mode: 0o750 }),
    rawEntry({ name: "d/f", uid: 5, gid: 6, mode: 0o4755 }, "f"),
    rawEntry({ name: "l", type: "2", link: "d/f", uid: 5 }),
    rawEntry({ name: "h", type: "1", link: "d/f", uid: 5, gid: 6, mode: 0o4755 }),
    rawEntry({ name: "implied/f", uid: 5 }, "i"),
  );
  assertEquals((await added(tar, "ADD --chown=410:420 a.tar /to/")).files, {
    "/to": "folder 0755 410:420",
    "/to/d": "folder 0750 410:420",
    "/to/d/f": "file 4755 410:420 f",
    "/to/h": "file 4755 410:420 f",
    "/to/implied": "folder 0755 0:0",
    "/to/implied/f": "file 0644 410:420 i",
    "/to/l": "link 410:420 d/f",
  });
  assertEquals((await added(tar)).files["/d/f"], "file 4755 5:6 f");
});

Deno.test("ADD keeps names of one file together, with the owner and mode of the last", async () => {
  await using rig = await Rig.create({ "Dockerfile": "FROM scratch\nADD a.tar /\n" });
  Deno.writeFileSync(
    `${rig.root}/a.tar`,
    rawTar(
      rawEntry({ name: "m", uid: 1, mode: 0o600 }, "one"),
      rawEntry({ name: "z", type: "1", link: "m", uid: 2, mode: 0o640 }),
      rawEntry({ name: "a", type: "1", link: "z", uid: 3, mode: 0o4755 }),
      rawEntry({ name: "y", type: "1", link: "a", uid: 3, mode: 0o4755 }),
      rawEntry({ name: "y", uid: 4 }, "another"),
      rawEntry({ name: "l", type: "2", link: "m" }),
      rawEntry({ name: "k", type: "1", link: "l", uid: 5, mode: 0o600 }),
    ),
  );
  const { image } = await rig.build();
  const members = [];
  for await (
    const { path, type, mode, uid, size, linkTarget } of readTar(await image.layers[0]!.open())
  ) {
    members.push([path, type, mode, uid, size, linkTarget]);
  }
  assertEquals(members, [
    ["a", "file", 0o4755, 3, 3, undefined],
    ["k", "symlink", 0o777, 5, 0, "m"],
    ["l", "symlink", 0o777, 0, 0, "m"],
    ["m", "hardlink", 0o4755, 3, 0, "a"],
    ["y", "file", 0o644, 4, 7, undefined],
    ["z", "hardlink", 0o4755, 3, 0, "a"],
  ]);
});

Deno.test("ADD tells that --chmod is for no archive", async () => {
  const tar = rawTar(rawEntry({ name: "f", mode: 0o640 }, "f"));
  const { files, notices } = await added(tar, "ADD --chmod=755 a.tar /");
  assertEquals(files["/f"], "file 0640 0:0 f");
  assertEquals(notices, ["a.tar is unpacked with its own modes: --chmod is not for archives"]);
});

Deno.test("ADD names what of an archive no layer can hold", async () => {
  const cases: [Uint8Array, string][] = [
    [rawEntry({ name: "../up" }, "x"), '"../up" leads out of the folder'],
    [rawEntry({ name: "a/../../up" }, "x"), '"a/../../up" leads out of the folder'],
    [rawEntry({ name: "./" }, "x"), '"./" is no name of a file'],
    [rawEntry({ name: "h", type: "1", link: "later" }), "h is a hard link to no file before it"],
    [rawEntry({ name: "part", type: "M", format: "gnu" }, "x"), "another volume"],
    [rawEntry({ name: "odd", type: "Z" }, "x"), 'odd is of the unknown type "Z"'],
  ];
  for (const [entry, words] of cases) {
    const fault = await refusal(rawTar(entry));
    assertStringIncludes(fault.message, `Cannot unpack a.tar: `);
    assertStringIncludes(fault.message, words);
    assertEquals([fault.place?.file, fault.place?.line], ["Dockerfile", 2]);
  }
  const whiteout = await refusal(rawTar(rawEntry({ name: "d/.wh.x" }, "x")));
  assertStringIncludes(whiteout.message, "/d/.wh.x cannot be in a layer");
});

Deno.test("ADD unpacks zstd of many frames, and refuses what is cut off", async () => {
  const tar = rawTar(rawEntry({ name: "f" }, "x".repeat(3000)));
  const skipped = new Uint8Array([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const frames = [0, 1000, 2000, 3000].map((at) => zstdCompressSync(tar.subarray(at, at + 1000)));
  const whole = joined(skipped, ...frames, skipped, zstdCompressSync(tar.subarray(4000)));
  assertEquals((await added(whole)).files["/f"], `file 0644 0:0 ${"x".repeat(3000)}`);
  await refusal(whole.subarray(0, whole.length - 20));
});

const own = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };

Deno.test("COPY --from keeps attributes, devices and names of any bytes, and gives what holes hold", async () => {
  const xattrs = [["security.capability", CAPABILITY.toBase64()], [
    "trusted.overlay.opaque",
    "eQ==",
  ]] as const;
  const entries: TarEntry[] = [
    { ...own, path: "d/", type: "directory", mode: 0o755, xattrs: [["user.d", "ZA=="]] },
    { ...own, path: "d/ping", type: "file", content: new TextEncoder().encode("p"), xattrs },
    { ...own, path: "d/same", type: "hardlink", linkTarget: "d/ping" },
    { ...own, path: "d/m\udcfa", type: "file", content: new TextEncoder().encode("ú") },
    { ...own, path: "d/null", type: "character", device: [1, 3] },
    { ...own, path: "d/pipe", type: "fifo" },
  ];
  await using rig = await Rig.create({
    "Dockerfile": "FROM scratch\nCOPY --from=base --chown=7 / /to/\n",
  });
  const base = await rig.image("base", [entries]);
  const { image } = await rig.build({
    options: { contexts: { base: { image: "base" } } },
    needs: { base },
  });
  const ping = `file 0644 7:7 p security.capability=${CAPABILITY.toBase64()}`;
  assertEquals(await filesOf(image.layers, { texts: true }), {
    "/to": "folder 0755 7:7",
    "/to/d": "folder 0755 7:7",
    "/to/d/m\udcfa": "file 0644 7:7 ú",
    "/to/d/null": "character 0644 7:7 1 3",
    "/to/d/ping": ping,
    "/to/d/pipe": "fifo 0644 7:7",
    "/to/d/same": ping,
  });
});

Deno.test("a layer that cannot be read is named with its image", async () => {
  await using rig = await Rig.create({ "Dockerfile": "FROM scratch\nCOPY --from=base /a /\n" });
  const base = await rig.rawImage("base", [rawTar(rawEntry({ name: "a", type: "Q" }))]);
  const options = { options: { contexts: { base: { image: "base" } } }, needs: { base } };
  const fault = await assertRejects(() => rig.build(options), Fault);
  assertStringIncludes(fault.message, 'a is of the unknown type "Q"');
  assertEquals([fault.where, fault.next !== undefined], ["base", true]);
});

Deno.test("ADD leaves an archive out that --exclude names, whether it is in the context or not", async () => {
  for (const more of ["", "COPY . /all/\n"]) {
    for (const sources of ["a.tar f", "*"]) {
      await using rig = await Rig.create({
        "Dockerfile": `FROM scratch\nADD --exclude=*.tar ${sources} /x/\n${more}`,
        ".dockerignore": "Dockerfile\n.dockerignore\n",
        "f": "f",
      });
      const archive = rawTar(rawEntry({ name: "inner" }));
      Deno.writeFileSync(`${rig.root}/a.tar`, archive);
      const files = await filesOf((await rig.build()).image.layers);
      assertEquals(Object.keys(files).filter((path) => path.startsWith("/x/")), ["/x/f"]);
    }
  }
});
