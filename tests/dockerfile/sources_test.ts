/** What sources of COPY and ADD name is what is in the key, and what is copied. */

import { assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { filesOf } from "./files_of.ts";
import { Rig } from "./rig.ts";

const FILES = {
  "README.md": "readme",
  "docs/d.md": "docs",
  "src/a.ts": "a",
  "src/a.test.ts": "test",
  "src/lib/b.ts": "b",
  "src/lib/b.test.ts": "test b",
  "packages/x/package.json": "{}",
  "packages/x/index.ts": "x",
  "packages/y/package.json": "{} ",
  "packages/y/deep/package.json": "{}  ",
  "link/to": "to",
};

/** An instruction, and the files that it can copy. */
const CASES: Readonly<Record<string, readonly string[]>> = {
  "COPY src/** /app/": ["src/a.test.ts", "src/a.ts", "src/lib/b.test.ts", "src/lib/b.ts"],
  "COPY **/*.ts /app/": ["src/a.test.ts", "src/a.ts"],
  "COPY **/**/package.json /app/": ["packages/x/package.json", "packages/y/package.json"],
  "COPY --parents **/package.json /app/": [
    "packages/x/package.json",
    "packages/y/deep/package.json",
    "packages/y/package.json",
  ],
  "COPY --parents packages/*/package.json /app/": [
    "packages/x/package.json",
    "packages/y/package.json",
  ],
  "COPY --parents packages/./**/package.json /app/": [
    "packages/x/package.json",
    "packages/y/deep/package.json",
    "packages/y/package.json",
  ],
  "COPY --parents packages/*/./deep /app/": ["packages/y/deep/package.json"],
  "COPY --parents pack*/?/./package.json /app/": [
    "packages/x/package.json",
    "packages/y/package.json",
  ],
  "COPY --parents --exclude=**/deep packages/./**/package.json /app/": [
    "packages/x/package.json",
    "packages/y/package.json",
  ],
  "COPY --exclude=*.test.ts src /app/": ["src/a.ts", "src/lib/b.test.ts", "src/lib/b.ts"],
  "COPY --exclude=**/*.test.ts src /app/": ["src/a.ts", "src/lib/b.ts"],
  "COPY --exclude=**.test.ts src /app/": ["src/a.ts", "src/lib/b.ts"],
  "COPY --exclude=./lib/ src /app/": ["src/a.test.ts", "src/a.ts"],
  "COPY --exclude=*.test.ts src/* /app/": ["src/a.ts", "src/lib/b.ts"],
  "COPY --exclude=lib --exclude=!lib/b.ts src /app/": [
    "src/a.test.ts",
    "src/a.ts",
    "src/lib/b.ts",
  ],
  "COPY --exclude=packages --exclude=src --exclude=link . /app/": [
    ".dockerignore",
    "Dockerfile",
    "README.md",
    "docs/d.md",
  ],
  // The second source has what the first leaves out.
  "COPY --exclude=lib/b.test.ts src src/lib /app/": [
    "src/a.test.ts",
    "src/a.ts",
    "src/lib/b.test.ts",
    "src/lib/b.ts",
  ],
  "COPY --exclude=*.md src README.md docs /app/": [
    "src/a.test.ts",
    "src/a.ts",
    "src/lib/b.test.ts",
    "src/lib/b.ts",
  ],
  "ADD --exclude=* src docs /app/": [],
};

Deno.test("only what a source can match is in the key", async (t) => {
  for (const [instruction, files] of Object.entries(CASES)) {
    await t.step(instruction, async () => {
      const dockerfile = `FROM scratch\n${instruction}\n`;
      await using rig = await Rig.create({ ...FILES, ".dockerignore": "", Dockerfile: dockerfile });
      assertEquals(await rig.inputs(), files);
      await rig.build();
    });
  }
});

Deno.test("a key changes with a file that comes to match, and with no other", async () => {
  await using rig = await Rig.create({
    ...FILES,
    Dockerfile: "FROM scratch\n" +
      "COPY --parents --exclude=**/dist **/package.json /a/\n" +
      "COPY --exclude=*.test.ts src/* /b/\n",
  });
  let before = await rig.identity();
  const unseen = ["docs/new.md", "src/b.test.ts", "packages/x/dist/package.json", "src/lib.md/x"];
  for (const path of unseen.slice(0, 3)) {
    rig.write({ [path]: "new" });
    assertEquals(await rig.identity(), before, path);
  }
  for (const path of ["packages/new/package.json", "src/new.ts", "src/other/c.txt"]) {
    rig.write({ [path]: "new" });
    const after = await rig.identity();
    assertNotEquals(after, before, path);
    before = after;
  }
});

Deno.test("sources that are reached through links have their excludes behind them", async () => {
  await using rig = await Rig.create({
    "real/keep": "keep",
    "real/drop": "drop",
    "other": "other",
    Dockerfile: "FROM scratch\nCOPY --exclude=drop way /a/\nCOPY --parents way/./k* /b/\n",
  });
  Deno.symlinkSync("real", `${rig.root}/way`);
  assertEquals(await rig.inputs(), ["real/keep", "way"]);
  const files = await filesOf((await rig.build()).image.layers);
  assertEquals(Object.keys(files).filter((path) => files[path]!.startsWith("file")), [
    "/a/keep",
    "/b/keep",
  ]);
});

Deno.test("a mount's source is a path, whatever stars there are in it", async () => {
  await using rig = await Rig.create({
    "a*": "star",
    "ab": "other",
    Dockerfile: "FROM scratch\nRUN --mount=type=bind,source=a*,target=/a true\n",
  });
  assertEquals(await rig.inputs(), ["a*"]);
});

const NAME = fc.constantFrom("a", "b", "c.md", "d.md");
const PATH = fc.array(NAME, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const GLOB = fc.array(fc.constantFrom("a", "b", "*", "*.md", "?", "**", "[ab]"), {
  minLength: 1,
  maxLength: 3,
}).map((parts) => parts.join("/"));
const INSTRUCTION = fc.record({
  sources: fc.array(fc.oneof(GLOB, fc.constant(".")), { minLength: 1, maxLength: 2 }),
  excludes: fc.array(fc.tuple(fc.constantFrom("", "", "!"), GLOB), { maxLength: 2 }),
  parents: fc.boolean(),
  pivot: fc.boolean(),
}).map(({ sources, excludes, parents, pivot }) => {
  const flags = excludes.map(([sign, glob]) => `--exclude=${sign}${glob} `).join("");
  const words = sources.filter((word) => !parents || word !== ".")
    .map((word) => parents && pivot ? word.replace("/", "/./") : word);
  if (words.length === 0) words.push("*");
  return `COPY ${parents ? "--parents " : ""}${flags}${words.join(" ")} /to/`;
});

Deno.test("whatever a COPY names, the key holds the files that it copies, and no others", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(PATH, { minLength: 1, maxLength: 8 }),
      INSTRUCTION,
      fc.array(fc.tuple(fc.constantFrom("", "!"), GLOB), { maxLength: 2 }),
      async (paths, instruction, ignored) => {
        const files = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`)));
        await using rig = await Rig.create({
          ...Object.fromEntries(files.map((path) => [`app/${path}`, `content of ${path}`])),
          "app/.dockerignore": ignored.map(([sign, glob]) => `${sign}${glob}\n`).join(""),
          "Dockerfile": `FROM scratch\n${instruction}\n`,
        });
        const options = { context: "app", file: "Dockerfile" };
        let built;
        try {
          built = await rig.build({ options });
        } catch {
          // A literal source that is not there is not there with all files either.
          await rig.fault({ options, inputs: ["app/**"] });
          return;
        }
        const whole = await rig.build({ options, inputs: ["app/**"] });
        assertEquals(built.image.imageId, whole.image.imageId);
        const copied = await filesOf(built.image.layers);
        const sizes = Object.values(copied).filter((it) => it.startsWith("file"));
        // Several sources may write to one name: then the last is left.
        const inputs = await rig.inputs({ options });
        if (!/ \S+ \S+ \/to/.test(instruction.replace(/--\S+ /g, ""))) {
          if (/--parents (?!.*\/\.\/)/.test(instruction)) assertEquals(sizes.length, inputs.length);
        }
      },
    ),
    { numRuns: 150 },
  );
});
