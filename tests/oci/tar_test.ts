import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { Fault } from "../../lib/model/errors.ts";
import { sha256 } from "../../lib/oci/sha256.ts";
import { type TarEntry, writeTar } from "../../lib/oci/tar.ts";
import { readTar } from "../../lib/oci/tar_read.ts";
import { toolTest } from "../support/tools.ts";

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(ReadableStream.from(stream)).arrayBuffer());
}

const FILE = {
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  uname: "root",
  gname: "root",
  mtime: 1,
} as const;

function file(path: string | Uint8Array, text = ""): TarEntry {
  return { ...FILE, path, content: new TextEncoder().encode(text) };
}

Deno.test("writeTar() writes USTAR headers field by field", async () => {
  const tar = await bytesOf(writeTar([file("/nix/store/x", "hi\n")]));
  const text = new TextDecoder("latin1").decode(tar);
  assertEquals(tar.length, 512 + 512 + 1024);
  assertEquals(text.slice(0, 13), "/nix/store/x\0");
  assertEquals(
    text.slice(100, 148),
    "0000644\0" + "0000000\0" + "0000000\0" + "00000000003\0" + "00000000001\0",
  );
  assertEquals(text.slice(148, 157), "013212\0 0");
  assertEquals(text.slice(257, 270), "ustar\x0000root\0");
  assertEquals(text.slice(329, 345), "0000000\x000000000\0");
  assertEquals(text.slice(512, 516), "hi\n\0");
  assert(tar.subarray(1024).every((byte) => byte === 0));
});

/** The writer that gives these also gives the golden archives of the plugin nix2container. */
Deno.test("writeTar() gives the digests it always gave", async () => {
  const long = `${"d".repeat(60)}/${"e".repeat(60)}`;
  const entries: TarEntry[] = [
    { ...FILE, path: "/", type: "directory", mode: 0o755 },
    file("/a", "a"),
    { ...FILE, path: "/link", type: "symlink", mode: 0o777, linkTarget: "a" },
    file(`/${long}`),
    file(`/${"n".repeat(120)}`, "unsplittable"),
    file("/ünïcode", "ü"),
    file(new Uint8Array([0x2f, 0x66, 0xff, 0x6f]), "no UTF-8"),
    { ...file("/large-id"), uid: 3_000_000, gid: 2_097_152 },
  ];
  assertEquals(
    sha256(await bytesOf(writeTar(entries))),
    "sha256:b779db86f6af09fce9cb9468927053b6abe6ded5c3db760b58bc69c8a4d7f76c",
  );
});

Deno.test("writeTar() names a PAX header after the entry's name without what is not ASCII", async () => {
  const names: [string, string][] = [
    ["/d/ünï", "/d/PaxHeaders.0/n"],
    ["/é/x", "//PaxHeaders.0/x"],
    ["/d/é", "/d/PaxHeaders.0"],
    ["..", "."],
    ["/", "/PaxHeaders.0"],
    [`/é/${"n".repeat(99)}`, `//PaxHeaders.0/${"n".repeat(85)}`],
  ];
  for (const [path, expected] of names) {
    const tar = await bytesOf(writeTar([{ ...file(path), uid: 2 ** 21 }]));
    const written = new TextDecoder().decode(tar.subarray(0, 100)).replace(/\0+$/, "");
    assertEquals([path, written], [path, expected]);
  }
});

Deno.test("writeTar() refuses a content that is not as long as its entry says", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "12345");
    for (const size of [4, 6]) {
      const entry: TarEntry = { ...FILE, path: "x", size, content: { file: path } };
      const fault = await assertRejects(() => bytesOf(writeTar([entry])), Fault);
      assertStringIncludes(fault.message, `${size} bytes`);
    }
  } finally {
    await Deno.remove(path);
  }
});

const NAME = fc.stringMatching(/^[a-z0-9_.ü€ -]{1,40}$/).filter((name) =>
  !/^\.{1,2}$/.test(name) && name.trim() === name
);
const ENTRY = fc.record({
  parts: fc.array(NAME, { minLength: 1, maxLength: 8 }),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 4_000_000 }),
  mtime: fc.integer({ min: 0, max: 2 ** 33 - 1 }),
  content: fc.uint8Array({ maxLength: 1500 }),
});

Deno.test("readTar() reads what writeTar() wrote", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(ENTRY, { maxLength: 8 }), async (written) => {
      const entries = written.map(({ parts, mode, uid, mtime, content }): TarEntry => ({
        path: parts.join("/"),
        type: "file",
        mode,
        uid,
        gid: uid,
        mtime,
        content,
      }));
      const read = [];
      for await (const member of readTar(ReadableStream.from(writeTar(entries)))) {
        const { path, mode, uid, mtime } = member;
        read.push({ path, mode, uid, mtime, content: await bytesOf(member.content()) });
      }
      assertEquals(
        read,
        written.map(({ parts, mode, uid, mtime, content }) => ({
          path: parts.join("/"),
          mode,
          uid,
          mtime,
          content: new Uint8Array(content),
        })),
      );
    }),
    { numRuns: 80 },
  );
});

toolTest(["tar"], "GNU tar reads long and foreign names as they were written", async () => {
  const names = [
    "plain",
    `${"d".repeat(90)}/${"f".repeat(90)}`,
    "x".repeat(250),
    `${"ä".repeat(60)}/name`,
    `${"p/".repeat(70)}end`,
  ];
  const folder = await Deno.makeTempDir({ prefix: "images-tar-" });
  try {
    await Deno.writeFile(
      `${folder}/a.tar`,
      await bytesOf(writeTar(names.map((name) => file(name, name)))),
    );
    const { stdout } = await new Deno.Command("tar", {
      args: ["--quoting-style=literal", "-tf", `${folder}/a.tar`],
    }).output();
    assertEquals(new TextDecoder().decode(stdout).trimEnd().split("\n"), names);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readTar() refuses an archive that is cut off", async () => {
  const tar = await bytesOf(writeTar([file("a", "x".repeat(2000))]));
  await assertRejects(async () => {
    for await (const member of readTar(ReadableStream.from([tar.subarray(0, 1000)]))) {
      await bytesOf(member.content());
    }
  }, Fault);
});

Deno.test("readTar() reads an archive whose last padding and end are missing", async () => {
  const tar = await bytesOf(writeTar([file("a", "x".repeat(700))]));
  const contents: string[] = [];
  for await (const member of readTar(ReadableStream.from([tar.subarray(0, 512 + 700)]))) {
    contents.push(new TextDecoder().decode(await bytesOf(member.content())));
  }
  assertEquals(contents, ["x".repeat(700)]);
  await assertRejects(async () => {
    for await (const _ of readTar(ReadableStream.from([tar.subarray(0, 512 + 699)])));
  }, Fault);
  await assertRejects(async () => {
    for await (const _ of readTar(ReadableStream.from([tar.subarray(0, 512 + 512)])));
  }, Fault);
});
