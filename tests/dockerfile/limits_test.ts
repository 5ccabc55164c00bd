/** Dockerfiles that nobody writes by hand: they end in a fault, and soon. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { replacePattern } from "../../plugins/dockerfile/syntax/pattern.ts";
import { type TarEntry, writeTar } from "../../lib/oci/tar.ts";
import { Rig } from "./rig.ts";

const OPTIONS = { options: { context: "app" } };

function lines(count: number, make: (at: number) => string): string {
  return Array.from({ length: count }, (_, at) => make(at)).join("\n");
}

async function faultOf(dockerfile: string) {
  await using rig = await Rig.create({ "app/Dockerfile": dockerfile, "app/x": "x" });
  return await rig.fault(OPTIONS);
}

Deno.test("values that double each other end in a fault that names the line", async () => {
  for (const keyword of ["ARG", "ENV"]) {
    const doubling = lines(60, (at) => `${keyword} a${at + 1}=$a${at}$a${at}`);
    const fault = await faultOf(`FROM scratch\n${keyword} a0=0123456789\n${doubling}\n`);
    assertMatch(fault.message, /^Cannot expand \$a\d+\$a\d+: The value would have more than/);
    assertEquals(fault.place?.line, 19);
  }
  const doubling = lines(60, (at) => `ARG a${at + 1}="$a${at}$a${at}"`);
  const fault = await faultOf(`ARG a0=0123456789\n${doubling}\nFROM scratch\n`);
  assertEquals(fault.place?.line, 18);
});

Deno.test("values that are large together end in a fault", async () => {
  const many = lines(3000, (at) => `ARG b${at}=$a$a$a$a$a$a$a$a$a`);
  const fault = await faultOf(`FROM scratch\nARG a=${"x".repeat(100_000)}\n${many}\n`);
  assertMatch(fault.message, /All values together have more than/);
});

Deno.test("expressions that are nested without end, and what grows by patterns, are refused", async () => {
  const nested = `LABEL l=${"${a:-".repeat(20_000)}x${"}".repeat(20_000)}`;
  const fault = await faultOf(`FROM scratch\n${nested}\n`);
  assertMatch(fault.message, /More than 100 expressions are nested/);
  assert(fault.message.length < 300 && (fault.excerpt ?? "").length < 2000);
  const grown = await faultOf(
    `FROM scratch\nARG a=${"x".repeat(100_000)}\nLABEL l=\${a//x/$a$a$a}\n`,
  );
  assertMatch(grown.message, /The value would be too long/);
});

Deno.test("a path longer than any is refused, and many stars in one are not", async () => {
  const fault = await faultOf(`FROM scratch\nCOPY ${"d/".repeat(50_000)}x /\n`);
  assertMatch(fault.message, /^A source has 100001 characters$/);
  await using rig = await Rig.create({
    "app/Dockerfile": `FROM scratch\nCOPY x d/${"*/".repeat(2000)}x /y/\n`,
    "app/x": "x",
    "app/d/y": "y",
  });
  // Each of the links leads to both, one level down in the pattern.
  Deno.symlinkSync(".", `${rig.root}/app/d/a`);
  Deno.symlinkSync(".", `${rig.root}/app/d/b`);
  await rig.build(OPTIONS);
});

Deno.test("long chains of stages are built, or refused where they are too long", async () => {
  const chain = (count: number, next: (at: number) => string) =>
    `FROM scratch AS s0\nCOPY x /x\n${lines(count, next)}\n`;
  for (
    const next of [
      (at: number) => `FROM s${at} AS s${at + 1}\nENV a${at}=1`,
      (at: number) => `FROM scratch AS s${at + 1}\nCOPY --from=s${at} /x /x`,
    ]
  ) {
    await using rig = await Rig.create({
      "app/Dockerfile": chain(500, next),
      "app/x": "x",
    });
    await rig.build(OPTIONS);
    const fault = await faultOf(chain(10_000, next));
    assertMatch(fault.message, /^The image needs more than 1000 stages$/);
  }
});

Deno.test("replacePattern() finds the first match, and the longest that begins there", () => {
  assertEquals(replacePattern("aXbXb", "a*b", "-", false), "-");
  assertEquals(replacePattern("xaab", "a*", "-", true), "x-");
  assertEquals(replacePattern("abab", "", "-", true), "-a-b-a-b-");
  assertEquals(replacePattern("abcabd", "ab?", "<>", true), "<><>");
  assertEquals(replacePattern("bbab", "ab", "", true), "bb");
  const long = "x".repeat(1_000_000);
  assertEquals(replacePattern(long, "*y*z", "-", true), long);
});

/** A project with an archive and a Dockerfile that adds it. */
async function withArchive(entries: readonly TarEntry[]): Promise<Rig> {
  const rig = await Rig.create({ "app/Dockerfile": "FROM scratch\nADD a.tar /\n" });
  await Deno.writeFile(`${rig.root}/app/a.tar`, ReadableStream.from(writeTar(entries)));
  return rig;
}

const own = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };

function emptyFiles(folder: string, count: number): TarEntry[] {
  return Array.from({ length: count }, (_, at) => ({
    ...own,
    path: `${folder}/f${at}`,
    type: "file" as const,
    size: 0,
    content: new Uint8Array(0),
  }));
}

Deno.test("an archive as deep as paths can be is unpacked in its files' number of steps", async () => {
  await using rig = await withArchive(emptyFiles("a/".repeat(2000).slice(0, -1), 500));
  await rig.build(OPTIONS);
});

Deno.test("links of an archive whose targets have no end are refused", async () => {
  const links = Array.from({ length: 250 }, (_, at): TarEntry => ({
    ...own,
    path: `l${at}`,
    type: "symlink",
    linkTarget: `${"./".repeat(2000)}l${at + 1}`,
  }));
  await using rig = await withArchive([...links, ...emptyFiles("l0", 100)]);
  assertMatch(
    (await rig.fault(OPTIONS)).message,
    /The links on the way to \/l0 name too many folders/,
  );
});
