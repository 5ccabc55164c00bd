import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { Fault } from "../../lib/model/errors.ts";
import { decodePath, encodePath } from "../../lib/oci/path_text.ts";
import { type TarEntry, writeTar } from "../../lib/oci/tar.ts";
import { readTar, type TarMember } from "../../lib/oci/tar_read.ts";
import { toolTest } from "../support/tools.ts";
import { base256, joined, rawEntry, rawHeader, rawPax, rawTar } from "./raw_tar.ts";

type Read = Omit<TarMember, "content"> & { readonly text: string };

/** The members of an archive that comes in chunks of a size. */
async function read(tar: Uint8Array, chunk = 4096): Promise<Read[]> {
  const members: Read[] = [];
  for await (const { content, ...member } of readTar(chunksOf(tar, chunk))) {
    members.push({ ...member, text: latin1(await bytesOf(content())) });
  }
  return members;
}

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(ReadableStream.from(chunks)).arrayBuffer());
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

async function refusal(tar: Uint8Array): Promise<string> {
  return (await assertRejects(() => read(tar), Fault)).message;
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("decodePath() keeps the bytes of any name", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (name) => {
    assertEquals(encodePath(decodePath(name)), new Uint8Array(name));
  }));
  for (const text of ["ünïcode-文-😀", "\ufeffmark", "plain"]) {
    assertEquals(decodePath(utf8(text)), text);
  }
  assertEquals(decodePath(bytes(0x6d, 0xfa, 0xed, 0xb2, 0x80)), "m\udcfa\udced\udcb2\udc80");
});

Deno.test("readTar() keeps names that are no UTF-8, in headers, GNU's long names and PAX", async () => {
  const name = bytes(0x6d, 0xfa);
  const long = joined(utf8("d/".repeat(60)), name);
  const tar = rawTar(
    rawEntry({ name }),
    rawEntry({ name: "././@LongLink", type: "L", format: "gnu" }, joined(long, bytes(0))),
    rawEntry({ name: "././@LongLink", type: "K", format: "gnu" }, joined(name, bytes(0))),
    rawEntry({ name: "cut", type: "2", format: "gnu" }),
    rawPax([["hdrcharset", "BINARY"], ["path", name], ["linkpath", name]]),
    rawEntry({ name: "x", type: "1" }),
  );
  assertEquals((await read(tar, 7)).map(({ path, linkTarget }) => [path, linkTarget]), [
    ["m\udcfa", undefined],
    [`${"d/".repeat(60)}m\udcfa`, "m\udcfa"],
    ["m\udcfa", "m\udcfa"],
  ]);
});

Deno.test("readTar() reads numbers in every form", async () => {
  const tar = rawTar(
    rawEntry({
      name: "gnu",
      format: "gnu",
      uid: base256(3_000_000n, 8),
      gid: base256(-2n, 8),
      mtime: base256(-86_400n, 12),
    }, "x"),
    rawEntry({ name: "spaced", uid: utf8("    12 "), mtime: utf8(" 17\0garbage") }),
    rawPax([["uid", "4294967294"], ["gid", "2097152"], ["mtime", "-1.5"], ["size", "3"]]),
    rawEntry({ name: "pax", size: 0 }),
    paddedText("abc"),
    rawEntry({ name: "signed\u00e9".slice(0, 6), link: bytes(0xe9), signed: true }),
  );
  assertEquals(
    (await read(tar)).map(({ path, uid, gid, mtime, text }) => [path, uid, gid, mtime, text]),
    [
      ["gnu", 3_000_000, 4_294_967_294, -86_400, "x"],
      ["spaced", 10, 0, 15, ""],
      ["pax", 4_294_967_294, 2_097_152, -2, "abc"],
      ["signed", 0, 0, 0, ""],
    ],
  );
});

function paddedText(text: string): Uint8Array {
  return rawEntry({ name: "" }, text).subarray(512);
}

Deno.test("readTar() gives extended attributes as they are", async () => {
  const capability = bytes(1, 0, 0, 2, 0, 0x20, 0, 0, 0x0a, 0x3d, 0, 0xff);
  const tar = rawTar(
    rawPax([
      ["SCHILY.xattr.user.b", "two\nlines=x"],
      ["SCHILY.xattr.security.capability", capability],
      ["SCHILY.xattr.user.empty", ""],
      ["LIBARCHIVE.xattr.user.a%3Db", "aGk"],
      ["SCHILY.acl.access", "user::rw-"],
    ]),
    rawEntry({ name: "f" }),
    rawEntry({ name: "g" }),
  );
  const [f, g] = await read(tar);
  assertEquals(f!.xattrs, [
    ["security.capability", capability.toBase64()],
    ["user.a=b", "aGk="],
    ["user.b", utf8("two\nlines=x").toBase64()],
    ["user.empty", ""],
  ]);
  assertEquals([f!.hasAcl, g!.xattrs, g!.hasAcl], [true, undefined, undefined]);
  assertStringIncludes(
    await refusal(rawTar(rawPax([["LIBARCHIVE.xattr.a", "!"]]), rawEntry({ name: "f" }))),
    "f has an attribute that is no Base64",
  );
});

Deno.test("writeTar() and readTar() keep attributes, devices and names of any bytes", async () => {
  const common = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };
  const entries: TarEntry[] = [
    {
      ...common,
      path: "a\udcff",
      type: "file",
      xattrs: [["user.x", ""], ["user.é", "AAEC"]],
      content: utf8("x"),
    },
    { ...common, path: "null", type: "character", device: [1, 3] },
    { ...common, path: "loop", type: "block", device: [7, 1048575] },
    { ...common, path: "pipe", type: "fifo" },
    { ...common, path: "l", type: "symlink", linkTarget: "a\udcff" },
  ];
  const members = await read(await bytesOf(writeTar(entries)));
  assertEquals(
    members.map(({ path, type, device, xattrs, linkTarget }) => [
      path,
      type,
      device,
      xattrs,
      linkTarget,
    ]),
    entries.map(({ path, type, device, xattrs, linkTarget }) => [
      path,
      type,
      device,
      xattrs,
      linkTarget,
    ]),
  );
});

Deno.test("readTar() knows each kind of entry", async () => {
  const numbers = { 329: utf8("0000010\0"), 337: utf8("0000003\0") };
  const tar = rawTar(
    rawEntry({ name: "label", type: "V", format: "gnu" }),
    rawEntry({ name: "old/", type: "\0", format: "v7" }),
    rawEntry({ name: "old/f", type: "\0", format: "v7" }, "v7"),
    rawEntry({ name: "contiguous", type: "7" }, "c"),
    rawEntry({ name: "dump/", type: "D", format: "gnu" }, "Yfile\0\0"),
    rawEntry({ name: "dev", type: "3", more: numbers }),
    rawEntry({ name: "dir/", type: "5", size: 77 }),
    rawEntry({ name: "pipe", type: "6" }),
    rawEntry({ name: "f", more: { 345: utf8("in/front") } }, "p"),
    rawEntry({ name: "f", format: "gnu", more: { 345: utf8("12345670123\0") } }, "times"),
    rawEntry({ name: "f", more: { 345: utf8("star"), 476: utf8("123"), 508: utf8("tar\0") } }),
  );
  assertEquals((await read(tar)).map(({ path, type, text }) => [path, type, text]), [
    ["old/", "directory", ""],
    ["old/f", "file", "v7"],
    ["contiguous", "file", "c"],
    ["dump/", "directory", "Yfile\0\0"],
    ["dev", "character", ""],
    ["dir/", "directory", ""],
    ["pipe", "fifo", ""],
    ["in/front/f", "file", "p"],
    ["f", "file", "times"],
    ["star/f", "file", ""],
  ]);
});

Deno.test("readTar() takes PAX records for all entries, until others follow", async () => {
  const tar = rawTar(
    rawPax([["comment", "0123"], ["uid", "7"], ["SCHILY.xattr.user.all", "1"]], "g"),
    rawEntry({ name: "a" }),
    rawPax([["uid", "8"]]),
    rawEntry({ name: "b" }),
    rawPax([["uid", ""]]),
    rawEntry({ name: "c", uid: 3 }),
    rawPax([["uid", ""], ["SCHILY.xattr.user.all", ""]], "g"),
    rawEntry({ name: "d" }),
  );
  assertEquals((await read(tar)).map(({ path, uid, xattrs }) => [path, uid, xattrs?.length]), [
    ["a", 7, 1],
    ["b", 8, 1],
    ["c", 3, 1],
    ["d", 0, undefined],
  ]);
  assertEquals(await read(rawTar(rawPax([["comment", "empty tree"]], "g"))), []);
});

Deno.test("readTar() fills the holes of sparse files, whatever the form of their map", async () => {
  const content = "AAAA" + "\0".repeat(96) + "BB" + "\0".repeat(898);
  const octal = (value: number) => utf8(`${value.toString(8).padStart(11, "0")}\0`);
  const pair = (offset: number, length: number) => joined(octal(offset), octal(length));
  const gnu = rawEntry({
    name: "s",
    type: "S",
    format: "gnu",
    more: { 386: joined(pair(0, 4), pair(100, 2), pair(1000, 0)), 483: octal(1000) },
  }, "AAAABB");
  // Four in the header, and one in a block behind it.
  const longer = joined(
    rawHeader({
      name: "s",
      type: "S",
      format: "gnu",
      size: 6,
      more: {
        386: joined(pair(0, 1), pair(1, 1), pair(2, 1), pair(3, 1)),
        482: bytes(1),
        483: octal(1000),
      },
    }),
    joined(pair(100, 2), new Uint8Array(512 - 24)),
    paddedText("AAAABB"),
  );
  const old = joined(
    rawPax([
      ["GNU.sparse.size", "1000"],
      ["GNU.sparse.numblocks", "2"],
      ["GNU.sparse.offset", "0"],
      ["GNU.sparse.numbytes", "4"],
      ["GNU.sparse.offset", "100"],
      ["GNU.sparse.numbytes", "2"],
    ]),
    rawEntry({ name: "s" }, "AAAABB"),
  );
  const newer = joined(
    rawPax([
      ["GNU.sparse.size", "1000"],
      ["GNU.sparse.numblocks", "2"],
      ["GNU.sparse.map", "0,4,100,2"],
      ["GNU.sparse.name", "s"],
    ]),
    rawEntry({ name: "GNUSparseFile.1/s" }, "AAAABB"),
  );
  const newest = (map: string, real = "1000", stored = "AAAABB") =>
    joined(
      rawPax([
        ["GNU.sparse.major", "1"],
        ["GNU.sparse.minor", "0"],
        ["GNU.sparse.name", "s"],
        ["GNU.sparse.realsize", real],
      ]),
      rawEntry({ name: "GNUSparseFile.1/s" }, joined(paddedText(map), utf8(stored))),
    );
  const after = rawEntry({ name: "after" }, "!");
  for (const form of [gnu, longer, old, newer, newest("2\n0\n4\n100\n2\n")]) {
    for (const chunk of [3, 512, 100_000]) {
      const [s, next] = await read(rawTar(form, after), chunk);
      assertEquals([s!.path, s!.size, s!.text], ["s", 1000, content]);
      assertEquals(next!.text, "!");
    }
    // What is not asked for is passed over.
    const names = [];
    for await (const { path } of readTar(chunksOf(rawTar(form, after), 600))) names.push(path);
    assertEquals(names, ["s", "after"]);
  }
  const [hole] = await read(rawTar(newest("0\n", "10", "")));
  assertEquals(hole!.text, "\0".repeat(10));
  for (
    const map of ["2\n0\n4\n2\n2\n", "2\n0\n4\n999\n2\n", "1\n0\n4\n", "x\n", "2\n0\n4\n", "-1\n"]
  ) {
    assertStringIncludes(await refusal(rawTar(newest(map))), "sparse file");
  }
  const odd = rawPax([["GNU.sparse.major", "2"], ["GNU.sparse.minor", "0"]]);
  assertStringIncludes(await refusal(rawTar(odd, after)), "unknown format 2.0");
});

Deno.test("readTar() refuses what is no archive, and names what it cannot carry", async () => {
  const entry = rawEntry({ name: "f" }, "content");
  const wrong = entry.slice();
  wrong[0] = 0x67;
  const long = "n/".repeat(3000);
  const cases: [Uint8Array, string][] = [
    [rawTar(wrong), "checksum"],
    [rawTar(rawEntry({ name: "part", type: "M", format: "gnu" })), "part goes on from another"],
    [rawTar(rawEntry({ name: "odd", type: "Q" })), 'odd is of the unknown type "Q"'],
    [joined(entry, new Uint8Array(512), entry), "empty block"],
    [entry.subarray(0, 514), "cut off"],
    [entry.subarray(0, 300), "cut off"],
    [rawPax([["path", "x"]]), "ends in a header"],
    [rawTar(rawEntry({ name: "L", type: "L" }, "name")), "ends in a header"],
    [rawTar(rawEntry({ name: "x", type: "x" }, "9 a=b\n")), "PAX record"],
    [rawTar(rawEntry({ name: "x", type: "x" }, "0x6 a=b\n")), "PAX record"],
    [rawTar(rawPax([["path", "a\0b"]]), entry), "NUL"],
    [rawTar(rawPax([["path", long]]), entry), "more than 4096 bytes"],
    [rawTar(rawPax([["path", "x"]], "g"), entry), "one path"],
    [rawTar(rawPax([["mtime", "soon"]]), entry), "mtime"],
    [rawTar(rawPax([["size", "1e3"]]), entry), "size"],
    [rawTar(rawPax([["size", "99999999999999999999"]]), entry), "bytes"],
    [rawTar(rawPax([["uid", "4294967295"]]), entry), "user 4294967295"],
    [rawTar(rawEntry({ name: "f", gid: base256(-1n, 8) })), "group -1"],
    [rawTar(rawEntry({ name: "f", uid: utf8("12x") })), "no number"],
    [rawTar(rawHeader({ name: "f", size: base256(-5n, 12) })), "-5 bytes"],
    [rawTar(rawHeader({ name: "x", type: "x", size: 2 ** 30 })), "more than 1048576"],
  ];
  for (const [tar, words] of cases) assertStringIncludes(await refusal(tar), words);
});

Deno.test("readTar() leaves alone what follows the end, and reads it all", async () => {
  const tar = joined(
    rawTar(rawEntry({ name: "a" })),
    rawTar(rawEntry({ name: "b" })),
    utf8("rest"),
  );
  let seen = 0;
  const source = async function* () {
    for await (const chunk of chunksOf(tar, 100)) {
      seen += chunk.length;
      yield chunk;
    }
  };
  const names = [];
  for await (const { path } of readTar(source())) names.push(path);
  assertEquals([names, seen], [["a"], tar.length]);
  assertEquals(await read(new Uint8Array(0)), []);
  assertEquals(await read(new Uint8Array(10240)), []);
});

Deno.test("readTar() lets go of its source where no more is asked for", async () => {
  let closed = false;
  const source = async function* () {
    try {
      for (;;) yield rawEntry({ name: "f" }, "x");
    } finally {
      closed = true;
    }
  };
  for await (const _ of readTar(source())) break;
  assert(closed);
});

Deno.test("readTar() gives nothing but a fault for a damaged archive", async () => {
  const whole = rawTar(
    rawPax([["SCHILY.xattr.user.a", "b"], ["mtime", "1.5"]]),
    rawEntry({ name: "f", format: "gnu", uid: base256(5n, 8) }, "content"),
    rawPax([["GNU.sparse.major", "1"], ["GNU.sparse.minor", "0"], ["GNU.sparse.realsize", "9"]]),
    rawEntry({ name: "s" }, joined(paddedText("1\n0\n1\n"), utf8("A"))),
    rawEntry({ name: "L", type: "L" }, "long"),
    rawEntry({ name: "dir/", type: "5" }),
  );
  const change = fc.record({
    at: fc.nat(whole.length - 1),
    byte: fc.nat(255),
    reseal: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.nat(whole.length),
      async (changes, length) => {
        const tar = whole.slice(0, length);
        for (const { at, byte, reseal } of changes) {
          if (at < length) tar[at] = byte;
          if (reseal) sealAt(tar, Math.floor(at / 512) * 512);
        }
        await read(tar, 1000).catch((error) => assert(error instanceof Fault, String(error)));
      },
    ),
    { numRuns: 400 },
  );
});

/** Makes a block's checksum right, so that what is wrong is found behind it. */
function sealAt(tar: Uint8Array, at: number): void {
  if (at + 512 > tar.length) return;
  const block = tar.subarray(at, at + 512);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(utf8(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
}

/** Writes archives as the cases on its standard input say, and tells how it reads them itself. */
const PYTHON = `
import base64, io, json, sys, tarfile
FORMATS = {"gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
out = []
for case in json.load(sys.stdin):
    raw = io.BytesIO()
    options = {"encoding": "utf-8", "errors": "surrogateescape"}
    with tarfile.open(fileobj=raw, mode="w", format=FORMATS[case["format"]], **options) as tar:
        for entry in case["entries"]:
            info = tarfile.TarInfo(base64.b64decode(entry["name"]).decode("utf-8", "surrogateescape"))
            data = base64.b64decode(entry["content"])
            info.type = entry["type"].encode()
            info.mode, info.uid, info.gid = entry["mode"], entry["uid"], entry["gid"]
            info.mtime = entry["mtime"]
            info.size = len(data) if entry["type"] in "07" else 0
            if entry["type"] in "12":
                info.linkname = base64.b64decode(entry["link"]).decode("utf-8", "surrogateescape")
            if entry["type"] in "34":
                info.devmajor, info.devminor = entry["device"]
            tar.addfile(info, io.BytesIO(data))
    raw.seek(0)
    members = []
    with tarfile.open(fileobj=raw, **options) as tar:
        for info in tar:
            data = tar.extractfile(info).read() if info.isreg() else b""
            name = lambda text: base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()
            members.append([name(info.name), info.type.decode(), info.mode, info.uid, info.gid,
                int(info.mtime // 1), name(info.linkname), base64.b64encode(data).decode()])
    out.append({"tar": base64.b64encode(raw.getvalue()).decode(), "members": members})
json.dump(out, sys.stdout)
`;

const TYPE_FLAGS: Readonly<Record<string, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

toolTest(
  ["python3"],
  "readTar() reads what Python's tarfile writes, as that reads it",
  async () => {
    const name = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 30 }),
      fc.uint8Array({ minLength: 90, maxLength: 300 }),
    ).map((raw) => raw.map((byte) => byte === 0 || byte === 0x2f ? 0x61 : byte));
    const entry = fc.record({
      name,
      link: name,
      type: fc.constantFrom("0", "1", "2", "3", "4", "5", "6"),
      mode: fc.integer({ min: 0, max: 0o7777 }),
      uid: fc.oneof(fc.nat(1000), fc.integer({ min: 2 ** 21, max: 2 ** 32 - 2 })),
      gid: fc.oneof(fc.nat(1000), fc.integer({ min: 2 ** 21, max: 2 ** 32 - 2 })),
      mtime: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
      device: fc.tuple(fc.nat(4095), fc.nat(2 ** 20)),
      content: fc.uint8Array({ maxLength: 1200 }),
    });
    const archive = fc.record({
      format: fc.constantFrom("gnu", "pax"),
      entries: fc.array(entry, { maxLength: 6 }),
    });
    const cases = fc.sample(archive, 60);
    const input = cases.map(({ format, entries }) => ({
      format,
      entries: entries.map((each) => ({
        ...each,
        name: each.name.toBase64(),
        link: each.link.toBase64(),
        content: each.content.toBase64(),
      })),
    }));
    const child = new Deno.Command("python3", {
      args: ["-c", PYTHON],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    const [{ success, stdout }] = await Promise.all([
      child.output(),
      writer.write(utf8(JSON.stringify(input))).then(() => writer.close()),
    ]);
    assert(success);
    const made = JSON.parse(new TextDecoder().decode(stdout)) as {
      tar: string;
      members: unknown[][];
    }[];
    for (const { tar, members } of made) {
      const mine = (await read(Uint8Array.fromBase64(tar), 1000)).map((it) => [
        encodePath(it.path.replace(/\/$/, "")).toBase64(),
        TYPE_FLAGS[it.type],
        it.mode,
        it.uid,
        it.gid,
        it.mtime,
        encodePath(it.linkTarget ?? "").toBase64(),
        Uint8Array.from(it.text, (character) => character.charCodeAt(0)).toBase64(),
      ]);
      assertEquals(mine, members);
    }
  },
);

toolTest(["tar"], "readTar() reads what GNU tar writes in each of its formats", async () => {
  const folder = await Deno.makeTempDir({ prefix: "images-tar-" });
  try {
    const tree = `${folder}/tree`;
    Deno.mkdirSync(`${tree}/${"d".repeat(150)}`, { recursive: true });
    Deno.writeTextFileSync(`${tree}/${"d".repeat(150)}/ünï`, "long");
    Deno.writeTextFileSync(`${tree}/a`, "a");
    Deno.linkSync(`${tree}/a`, `${tree}/b`);
    Deno.symlinkSync("a", `${tree}/l`);
    using file = Deno.openSync(`${tree}/sparse`, { write: true, createNew: true });
    file.writeSync(utf8("head"));
    for (let part = 1; part <= 30; part++) {
      file.seekSync(part * 65536, Deno.SeekMode.Start);
      file.writeSync(utf8(`part ${part}`));
    }
    file.truncateSync(40 * 65536);
    const sparse = latin1(Deno.readFileSync(`${tree}/sparse`));
    const forms = [
      ["--format=gnu", "-V", "a label"],
      ["--format=gnu", `--listed-incremental=${folder}/snapshot`],
      ["--format=oldgnu"],
      ["--format=posix", "--sparse-version=0.0"],
      ["--format=posix", "--sparse-version=0.1"],
      ["--format=posix", "--sparse-version=1.0", "-V", "a label"],
      ["--format=posix", "--pax-option=globexthdr.name=g,comment=all"],
    ];
    for (const form of forms) {
      const { success, stdout } = await new Deno.Command("tar", {
        args: ["--sparse", "--sort=name", ...form, "-C", tree, "-cf", "-", "."],
      }).output();
      assert(success);
      const members = await read(stdout, 10_000);
      assertEquals(
        members.map(({ path, type }) => [path, type]).sort(),
        [
          ["./", "directory"],
          ["./a", "file"],
          ["./b", "hardlink"],
          [`./${"d".repeat(150)}/`, "directory"],
          [`./${"d".repeat(150)}/ünï`, "file"],
          ["./l", "symlink"],
          ["./sparse", "file"],
        ].sort(),
        form.join(" "),
      );
      const found = members.find(({ path }) => path === "./sparse")!;
      assertEquals([found.size, found.text === sparse], [sparse.length, true], form.join(" "));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
