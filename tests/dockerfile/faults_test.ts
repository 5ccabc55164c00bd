import { assertEquals, assertMatch } from "@std/assert";
import { type TarEntry, writeTar } from "../../lib/oci/tar.ts";
import { filesOf } from "./files_of.ts";
import { Rig } from "./rig.ts";

/** A Dockerfile, where the fault is, what it says, and what to do next. */
type Case = readonly [dockerfile: string, place: string, message: RegExp, next: RegExp];

const CASES: readonly Case[] = [
  [
    "FROM scratch\nCOPY missing.txt /x\n",
    "2:6",
    /^missing\.txt is not in the build context \(app\)$/,
    /create it/,
  ],
  [
    "FROM scratch\nCOPY a.txt \\\n  missing.txt /x/\n",
    "3:3",
    /^missing\.txt is not in/,
    /create it/,
  ],
  ["FROM scratch\nCOPY hidden.txt /x\n", "2:6", /^hidden\.txt is not in/, /app\/\.dockerignore/],
  ["FROM scratch\nCOPY ../outside /x\n", "2:6", /^\.\.\/outside is not in the build context/, /./],
  ["FROM scratch\nCOPY [a /x\n", "2:6", /^Cannot read the pattern "\[a"$/, /\[\[\]/],
  [
    "FROM scratch AS build\nFROM scratch\nCOPY --from=Build! /a /b\n",
    "3:13",
    /^"Build!" is no stage, no named context/,
    /write "build"/,
  ],
  [
    "FROM scratch AS a\nFROM shop.example:http/app\n",
    "2:6",
    /^"shop\.example:http\/app" is no stage, .* no image reference$/,
    /"shop\.example:http" is no host/,
  ],
  [
    "FROM scratch\nCOPY --from=gcr?.io/x/app:1 /a /b\n",
    "2:13",
    /^"gcr\?\.io\/x\/app:1" is no stage, .* no image reference$/,
    /"gcr\?\.io" is no host/,
  ],
  [
    "ARG BASE=a.example/Org/app\nFROM $BASE\n",
    "2:1",
    /no image reference$/,
    /to "org\/app"/,
  ],
  [
    "FROM scratch\nCOPY --from=3 /a /b\n",
    "2:13",
    /^There is no stage 3 before this one$/,
    /count stages from 0/,
  ],
  [
    "FROM scratch\nCOPY --from=$X /a /b\n",
    "2:13",
    /^Variables cannot stand in --from/,
    /FROM \$X AS/,
  ],
  [
    "FROM scratch AS a\nCOPY --from=b /x /y\nFROM a AS b\n",
    "3:1",
    /^Stages need each other: b → a → b$/,
    /break the cycle/,
  ],
  [
    "FROM scratch AS a\nCOPY --from=b /x /y\nFROM scratch AS b\nFROM a\n",
    "2:13",
    /^The stage "b" is defined after/,
    /move the stage/,
  ],
  ["FROM scratch\nCOPY --form=a a.txt /y\n", "2:6", /^COPY has no flag --form$/, /write --from/],
  [
    "FROM scratch\nCOPY --link=maybe a.txt /y\n",
    "2:6",
    /^The flag --link cannot be "maybe"$/,
    /--link=false/,
  ],
  ["FROM scratch\nCOPY --chown a.txt /y\n", "2:6", /^The flag --chown has no value$/, /--chown=/],
  ["FROM scratch\nCOPY --chown=1 --chown=2 a.txt /y\n", "2:16", /given twice/, /remove one/],
  ["FROM scratch\nCOPPY a.txt /y\n", "2:1", /^Unknown instruction COPPY$/, /write COPY/],
  ["FROM scratch\nCOPY a.txt\n", "2:1", /COPY needs at least 2 arguments/, /reference/],
  ["FROM scratch\nENV A\n", "2:1", /"A" has no value/, /reference/],
  ['FROM scratch\nCMD ["a", 1]\n', "2:1", /Only strings/, /reference/],
  ["FROM scratch\nSHELL sh -c\n", "2:1", /JSON array/, /reference/],
  ["FROM scratch\nCOPY <<EOF /x\nabc\n", "2:8", /^The here-document "EOF" has no end$/, /only EOF/],
  [
    'FROM scratch\nARG V\nENV X="${V:?give V a value}"\n',
    "3:7",
    /give V a value/,
    /give the argument a value/,
  ],
  ["FROM scratch\nCOPY --exclude=[a a.txt /y\n", "2:16", /^Cannot read what --exclude/, /\[\[\]/],
  ["FROM scratch\nENV X=${V\n", "2:7", /closing \} /, /correct the expression/],
  ["ARG B\nFROM $B\n", "2:6", /^The base "\$B" is empty$/, /default/],
  ["FROM UPPER/case\n", "1:6", /no image reference/, /correct the name/],
  ["FROM scratch AS 1st\n", "1:17", /^"1st" cannot name a stage$/, /letter/],
  ["FROM scratch extra\n", "1:1", /^Cannot read FROM/, /AS name/],
  ["COPY a.txt /\n", "1:1", /before the first FROM/, /begin with FROM/],
  ["# nothing\n", "1:1", /^There is no FROM$/, /FROM scratch/],
  ["# escape=x\nFROM scratch\n", "1:10", /^Cannot escape with "x"$/, /backtick/],
  [
    "FROM scratch\nCOPY --chown=nobody a.txt /y\n",
    "2:14",
    /^Cannot find the owner "nobody"/,
    /\/etc\/passwd/,
  ],
  ["FROM scratch\nCOPY --chmod=9 a.txt /y\n", "2:14", /^Cannot read the mode "9"$/, /octal/],
  [
    "FROM scratch\nCOPY dir /d\nCOPY a.txt /d/one.txt/\n",
    "3:1",
    /one\.txt is not a folder/,
    /destination/,
  ],
  [
    "FROM scratch\nCOPY dir /d\nCOPY dir/one.txt /d2/\nCOPY dir/one.txt /e/sub\nCOPY dir /e\n",
    "5:1",
    /A folder cannot replace \/e\/sub/,
    /destination/,
  ],
  [
    "FROM scratch\nCOPY dir /d\nCOPY a.txt /d/sub\nCOPY dir/sub /d/sub/a.txt\n",
    "4:1",
    /not a folder/,
    /destination/,
  ],
  [
    "FROM scratch\nCOPY a.txt dir/one.txt /x\n",
    "2:24",
    /^Several files cannot be copied to one name/,
    /"\/x\/"/,
  ],
  ["FROM scratch\nCOPY *.txt /x\n", "2:6", /Several files/, /"\/x\/"/],
  [
    "FROM scratch\nADD --checksum=sha256:0 a.txt /x\n",
    "2:5",
    /--checksum needs a URL/,
    /remove the flag/,
  ],
  ["FROM scratch\nEXPOSE 80 http\n", "2:11", /^Cannot expose the port "http"$/, /65535/],
  ["FROM scratch\nSTOPSIGNAL SIGNOPE\n", "2:12", /^There is no signal/, /SIGTERM/],
  ["FROM scratch\nHEALTHCHECK --interval=5 CMD x\n", "2:24", /--interval cannot be "5"/, /30s/],
  ["FROM scratch\nHEALTHCHECK NONE x\n", "2:18", /takes no arguments/, /remove/],
  ["FROM scratch\nONBUILD FROM x\n", "2:1", /FROM cannot be left for later/, /remove/],
  ["FROM scratch\nRUN --mount=type=bnd,target=/x y\n", "2:18", /no mount of type "bnd"/, /bind/],
];

Deno.test("a fault of a Dockerfile names its line, its column and what to do next", async (t) => {
  for (const [dockerfile, place, message, next] of CASES) {
    await t.step(dockerfile.trim().split("\n").at(-1)!, async () => {
      await using rig = await Rig.create({
        "app/Dockerfile": dockerfile,
        "app/.dockerignore": "hidden.txt\n",
        "app/hidden.txt": "",
        "app/a.txt": "a",
        "app/b.txt": "b",
        "app/dir/one.txt": "1",
        "app/dir/sub/two.txt": "2",
        "outside": "",
      });
      const fault = await rig.fault({ options: { context: "app" } });
      assertMatch(fault.message, message);
      assertMatch(fault.next ?? "", next);
      assertEquals(
        fault.place && `${fault.place.file}:${fault.place.line}:${fault.place.column}`,
        `app/Dockerfile:${place}`,
      );
      assertMatch(fault.excerpt ?? "", new RegExp(`^> *${fault.place!.line} \\| `, "m"));
    });
  }
});

Deno.test("build() says what to install where an engine is needed", async () => {
  await using rig = await Rig.create({
    "Dockerfile": "FROM scratch AS built\nRUN make\nFROM scratch\nCOPY --from=built /x /x\n",
  });
  const fault = await rig.fault({ options: { file: "Dockerfile", engine: "native" } });
  assertEquals([fault.kind, fault.exitStatus, fault.place?.line], ["unavailable", 3, 2]);
  assertMatch(fault.next ?? "", /install docker with buildx, podman or buildah/);
});

Deno.test("build() refuses a base of another architecture", async () => {
  await using rig = await Rig.create({
    "base.Dockerfile": "FROM scratch\n",
    "Dockerfile": "FROM base\n",
  });
  const { image } = await rig.build({
    options: { file: "base.Dockerfile" },
    platform: "linux/arm64",
  });
  const fault = await rig.fault({
    options: { contexts: { base: { image: "base" } } },
    needs: { base: image },
  });
  assertEquals(fault.message, "The base is for linux/arm64, not for linux/amd64");
});

Deno.test("describe() refuses a line of .dockerignore that Docker refuses", async () => {
  for (const line of ["!", "a[", "a\\"]) {
    await using rig = await Rig.create({ "Dockerfile": "FROM scratch\n", ".dockerignore": line });
    const { message, where, next } = await rig.fault();
    assertEquals([message.startsWith("Cannot read the pattern"), where, next], [
      true,
      ".dockerignore",
      "correct the pattern",
    ]);
  }
});

Deno.test("build() says of a link that leads nowhere what is wrong with it", async () => {
  const cases = [
    ["COPY d/* /o/", "nowhere", "d/link is a link to what is not in the build context (.)"],
    ["COPY d/* /o/", "link", "The links on the way to /d/link form a loop"],
    ["ADD d/link /o/", "link", "The links on the way to /d/link form a loop"],
    ["COPY --from=s /d/* /o/", "nowhere", "d/link is a link to what is not in the stage s"],
    ["COPY --from=s --parents /d/link/./* /o/", "link", "form a loop"],
  ] as const;
  for (const [line, target, message] of cases) {
    await using rig = await Rig.create({
      "Dockerfile": `FROM scratch AS s\nCOPY d /d\nFROM scratch\n${line}\n`,
      "d/a": "",
    });
    Deno.symlinkSync(target, `${rig.root}/d/link`);
    const fault = await rig.fault();
    assertMatch(fault.next ?? "", /^mend the link, or leave it out/);
    assertEquals([fault.message.includes(message), fault.place?.line], [true, 4], fault.message);
  }
});

Deno.test("build() refuses an archive whose hard link comes before its file, as Docker does", async () => {
  await using rig = await Rig.create({ "Dockerfile": "FROM scratch\nADD a.tar /d/\n" });
  const own = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };
  const link = { ...own, path: "link", type: "hardlink", linkTarget: "file" } as const;
  const file = { ...own, path: "file", type: "file" } as const;
  const write = async (...entries: TarEntry[]) => {
    const bytes = await new Response(ReadableStream.from(writeTar(entries))).bytes();
    Deno.writeFileSync(`${rig.root}/a.tar`, bytes);
  };
  await write(link, file);
  const { message, place } = await rig.fault();
  assertMatch(message, /^Cannot unpack a\.tar: link is a hard link to no file before it, file$/);
  assertEquals(place?.line, 2);
  await write(file, link);
  assertEquals(Object.keys(await filesOf((await rig.build()).image.layers)), [
    "/d",
    "/d/file",
    "/d/link",
  ]);
});

Deno.test("describe() says where it looked for a Dockerfile or context that is not there", async () => {
  await using rig = await Rig.create({ "Dockerfile": "FROM scratch\n" });
  assertMatch((await rig.fault({ options: { file: "No" } })).message, /no Dockerfile at No/);
  assertMatch(
    (await rig.fault({ options: { context: "no", file: "Dockerfile" } })).message,
    /"no" is not a folder/,
  );
  assertMatch((await rig.fault({ options: { target: "no" } })).message, /no stage "no" to build/);
});
