/** Archives that other tools wrote, without the clock. */

import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { Fault } from "../../lib/model/errors.ts";
import { readHeader, readPaxRecords, rewritePax } from "../../lib/oci/tar_fields.ts";
import { type TarEntry, writeTar } from "../../lib/oci/tar.ts";
import { readTar } from "../../lib/oci/tar_read.ts";
import { type RewriteOptions, rewriteTar } from "../../lib/oci/tar_rewrite.ts";

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(ReadableStream.from(source)).arrayBuffer());
}

/** In pieces of a few bytes, so that every header is cut somewhere. */
async function* pieces(bytes: Uint8Array, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function rewritten(bytes: Uint8Array, options: RewriteOptions, size?: number) {
  return await bytesOf(rewriteTar(pieces(bytes, size), options));
}

/** What GNU tar wrote of some files, at a time and for an owner of its own. */
async function gnuTar(format: string, mtime: string, names: readonly string[]) {
  const folder = await Deno.makeTempDir();
  try {
    for (const name of names) {
      const path = `${folder}/${name}`;
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(path, name);
    }
    Deno.linkSync(`${folder}/${names[0]}`, `${folder}/hard`);
    Deno.symlinkSync(names[0]!, `${folder}/soft`);
    const { stdout } = await new Deno.Command("tar", {
      args: [
        ...["-C", folder, "-cf", "-", `--format=${format}`, `--mtime=${mtime}`, "--sort=name"],
        ...["--owner=someone:7", "--group=others:8", "."],
      ],
    }).output();
    return stdout;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const LONG = `${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(90)}`;

for (const format of ["gnu", "pax", "ustar"]) {
  Deno.test(`rewriteTar() takes only times and names of owners out of a ${format} archive`, async () => {
    const names = format === "ustar" ? ["a", "b/c"] : ["a", "b/c", LONG];
    const later = await gnuTar(format, "2026-01-02T03:04:05.678Z", names);
    const earlier = await gnuTar(format, "2020-01-02T03:04:05.999Z", names);
    const options = { notAfter: 1_000_000_000 };
    const made = await rewritten(later, options);
    assertEquals(await rewritten(earlier, options), made);
    assertEquals(await rewritten(made, options), made);
    const before = await members(later);
    const after = await members(made);
    assertEquals(
      after.map(({ mtime: _, ...rest }) => rest),
      before.map(({ mtime: _, ...rest }) => rest),
    );
    for (const { mtime, uid, gid } of after) assertEquals([mtime, uid, gid], [1_000_000_000, 7, 8]);
    assertEquals(new TextDecoder("latin1").decode(made).includes("someone"), false);
  });
}

Deno.test("rewriteTar() keeps times that are early enough, and leaves out what it is told to", async () => {
  const entry = (path: string, mtime: number): TarEntry => ({
    path,
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime,
    content: new TextEncoder().encode(path.repeat(1000)),
  });
  const tar = await bytesOf(writeTar([entry("old", 5), entry("gone", 5), entry("new", 50)]));
  const made = await rewritten(tar, { notAfter: 10, leaveOut: ({ path }) => path === "gone" });
  assertEquals(await bytesOf(writeTar([entry("old", 5), entry("new", 10)])), made);
});

Deno.test("rewriteTar() changes nothing of an archive without names and times, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ name: fc.stringMatching(/^[a-zé]{1,150}$/), size: fc.nat(3000) }), {
        maxLength: 5,
      }),
      fc.integer({ min: 1, max: 2000 }),
      async (files, size) => {
        const tar = await bytesOf(writeTar(files.map(({ name, size }) => ({
          path: name,
          type: "file" as const,
          mode: 0o600,
          uid: 1,
          gid: 2,
          mtime: 3,
          content: new Uint8Array(size).fill(1),
        }))));
        assertEquals(await rewritten(tar, { notAfter: 9 }, size), tar);
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("rewritePax() keeps attributes of files, and drops labels of the machine", () => {
  const value = new TextEncoder().encode("value");
  const name = (attribute: string) => `SCHILY.xattr.${attribute}`;
  const records = new Map([
    [name("security.capability"), value],
    [name("security.selinux"), value],
    [name("user.note"), value],
    ["uname", value],
    ["atime", value],
    ["path", value],
  ]);
  const block = new Uint8Array(512);
  const header = { block, path: "", type: "x", mode: 0, size: 0, mtime: 0 };
  const made = rewritePax(header, records);
  const { size } = readHeader(made.subarray(0, 512));
  assertEquals(readPaxRecords(made.subarray(512, 512 + size)).map(([key]) => key), [
    name("security.capability"),
    name("user.note"),
    "path",
  ]);
  assertEquals(rewritePax(header, new Map([["uname", value]])).length, 0);
});

Deno.test("rewriteTar() refuses an archive that is cut off, or is none", async () => {
  const tar = await gnuTar("pax", "2020-01-02", ["a", LONG]);
  for (const cut of [100, 700, 1000]) {
    await assertRejects(() => rewritten(tar.subarray(0, cut), { notAfter: 0 }), Fault);
  }
  await assertRejects(
    () => rewritten(new TextEncoder().encode("no archive".repeat(200)), { notAfter: 0 }),
    Fault,
  );
});

async function members(tar: Uint8Array) {
  const found = [];
  for await (const member of readTar(ReadableStream.from([tar]))) {
    const { path, type, mode, uid, gid, mtime, linkTarget } = member;
    found.push({
      path,
      type,
      mode,
      uid,
      gid,
      mtime,
      linkTarget,
      text: await textOf(member.content()),
    });
  }
  return found;
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  return new TextDecoder().decode(await bytesOf(content));
}
