/** What is part of an image's key, and what is not: design 5, "dockerfile sees only what …". */

import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { type BuildOptions, Rig } from "./rig.ts";

const DOCKERFILE = `# syntax=docker/dockerfile:1
ARG WHERE=/srv
FROM scratch AS other
COPY unreached.txt /x
FROM scratch AS assets
COPY assets /assets
FROM scratch
ARG WHERE
ARG MODE=plain
LABEL mode=$MODE
COPY --from=assets /assets \${WHERE}/
COPY src/*.ts src/lib /app/
`;

const FILES = {
  "app/Dockerfile": DOCKERFILE,
  "app/.dockerignore": "**/*.log\n",
  "app/unreached.txt": "x",
  "app/README.md": "x",
  "app/assets/logo.svg": "x",
  "app/assets/debug.log": "x",
  "app/src/main.ts": "x",
  "app/src/notes.md": "x",
  "app/src/lib/util.ts": "x",
};

const OPTIONS: BuildOptions = { options: { context: "app" } };

Deno.test("describe() names exactly the files that the Dockerfile can see", async () => {
  await using rig = await Rig.create(FILES);
  assertEquals(await rig.inputs(OPTIONS), [
    "app/assets/logo.svg",
    "app/src/lib/util.ts",
    "app/src/main.ts",
  ]);
});

Deno.test("a key does not change with what cannot change the image", async (t) => {
  await using rig = await Rig.create(FILES);
  const before = await rig.identity(OPTIONS);
  const same = async (name: string, options = OPTIONS) =>
    await t.step(name, async () => assertEquals(await rig.identity(options), before));
  rig.write({ "app/README.md": "changed", "app/src/notes.md": "changed", "outside": "new" });
  await same("files that no COPY names");
  rig.write({ "app/assets/debug.log": "changed" });
  await same("files that .dockerignore hides");
  rig.write({ "app/unreached.txt": "changed" });
  await same("files of stages that are not reached");
  rig.write({
    "app/Dockerfile": DOCKERFILE
      .replace("COPY unreached.txt /x", "RUN make this")
      .replace("COPY src", "# a comment\n\ncopy \\\n  # another\n  src")
      .replace(/assets(?= AS| \/assets)?/, (word) => word)
      .replace("LABEL", "  label"),
  });
  await same("comments, line breaks, letter case and stages that are not reached");
  await same("arguments that are not declared", {
    ...OPTIONS,
    args: { UNUSED: "1" },
    options: { context: "app", args: { OTHER: "2" } },
  });
  await same("an argument with the value it has by default", {
    ...OPTIONS,
    args: { MODE: "plain" },
  });
  await same("the engine", { ...OPTIONS, engine: "native" });
  await Deno.chmod(`${rig.root}/app/src/main.ts`, 0o600);
  await Deno.utime(`${rig.root}/app/src/main.ts`, 1, 1);
  await same("times and modes that builds do not see");
});

Deno.test("a key changes with what can change the image", async (t) => {
  const changes: Readonly<Record<string, (rig: Rig) => BuildOptions | void>> = {
    "a file": (rig) => rig.write({ "app/src/main.ts": "changed" }),
    "a new file that a pattern matches": (rig) => rig.write({ "app/src/new.ts": "new" }),
    "an executable bit": (rig) => Deno.chmodSync(`${rig.root}/app/src/main.ts`, 0o755),
    "an instruction": (rig) => rig.write({ "app/Dockerfile": `${DOCKERFILE}CMD ["run"]\n` }),
    "an ignore rule": (rig) => rig.write({ "app/.dockerignore": "" }),
    "an argument": () => ({ ...OPTIONS, args: { MODE: "other" } }),
    "a global argument": () => ({ options: { context: "app", args: { WHERE: "/x" } } }),
    "the target": () => ({ options: { context: "app", target: "assets" } }),
    "the platform, where it is used": (rig) => {
      rig.write({ "app/Dockerfile": `${DOCKERFILE}ARG TARGETARCH\n` });
      return OPTIONS;
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    await t.step(name, async () => {
      await using rig = await Rig.create(FILES);
      const before = await rig.identity(OPTIONS);
      const options = change(rig) ?? OPTIONS;
      assertNotEquals(await rig.identity(options), before);
    });
  }
});

Deno.test("a key changes with the rules that hide what the input tree holds anyway", async (t) => {
  const cases: Readonly<Record<string, [dockerfile: string, BuildOptions]>> = {
    "for the recipe's inputs": ["FROM scratch\nCOPY dir /x\n", { inputs: ["dir/**"] }],
    "for a folder inside": [
      "FROM scratch\nCOPY dir /x\nCOPY --from=sub . /y\n",
      { options: { contexts: { sub: "dir" } } },
    ],
  };
  for (const [name, [dockerfile, options]] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using rig = await Rig.create({
        "Dockerfile": dockerfile,
        ".dockerignore": "dir/hidden\n",
        "dir/a": "a",
        "dir/hidden": "h",
      });
      const before = await rig.identity(options);
      rig.write({ ".dockerignore": "# the same\ndir/hidden\n" });
      assertEquals(await rig.identity(options), before);
      rig.write({ ".dockerignore": "" });
      assertNotEquals(await rig.identity(options), before);
    });
  }
});

Deno.test("a key holds what a base's ONBUILD can take", async (t) => {
  await using rig = await Rig.create({
    "base.Dockerfile":
      'FROM scratch\nONBUILD ARG V=0\nONBUILD ARG W\nONBUILD LABEL v="$V" w="$W"\n',
    "Dockerfile": "FROM base\nWORKDIR /app\n",
    "global.Dockerfile": "ARG W=1\nARG V\nFROM base\n",
  });
  const { image: base } = await rig.build({ options: { file: "base.Dockerfile" } });
  const on = (options: BuildOptions): BuildOptions => ({
    ...options,
    options: { contexts: { base: { image: "base" } }, ...options.options },
    needs: { base },
  });
  const global = { file: "global.Dockerfile" };
  const cases: readonly [string, BuildOptions, string][] = [
    ["a default", {}, "0 "],
    ["the recipe's arguments", { options: { args: { V: "1", W: "2" } } }, "1 2"],
    ["--arg over the recipe's", { options: { args: { V: "1" } }, args: { V: "2" } }, "2 "],
    ["global arguments", { options: global }, "0 1"],
    ["--arg of global ones", { options: global, args: { V: "3", W: "4" } }, "3 4"],
  ];
  const identities = new Set<string>();
  for (const [name, options, labels] of cases) {
    await t.step(name, async () => {
      identities.add(await rig.identity(on(options)));
      const { Labels } = (await rig.build(on(options))).config.config ?? {};
      assertEquals(`${Labels?.["v"]} ${Labels?.["w"]}`, labels);
    });
  }
  assertEquals(identities.size, cases.length);
  await t.step("host variables only as digests", async () => {
    const secret = on({ env: { W: "s3cret" } });
    assertEquals(await rig.identity(secret), await rig.identity(on({})));
    assertEquals((await rig.build(secret)).config.config?.Labels?.["w"], "s3cret");
  });
  await t.step("nothing else", async () => {
    const other = on({ args: { V: "1" } });
    assertEquals(await rig.identity(other), await rig.identity(on({})));
    const fault = await rig.fault(other);
    assertStringIncludes(fault.message, "ONBUILD takes V");
    assertEquals([fault.place?.line, fault.next], [1, 'write "ARG V" in front of the first FROM']);
  });
});

Deno.test("values of host variables enter neither the description nor the image", async () => {
  await using rig = await Rig.create({
    "Dockerfile": "FROM scratch\nARG TOKEN\nARG DERIVED=a-$TOKEN\nCOPY a /a\n",
    "a": "",
  });
  const options = { env: { TOKEN: "s3cret" } };
  assert(!(await rig.identity(options)).includes("s3cret"));
  const { config } = await rig.build(options);
  assertEquals(config.history?.[0]?.created_by, "ARG TOKEN");
});

Deno.test("describe() names images and bases that are reached, normalised, and no others", async () => {
  await using rig = await Rig.create({
    "Dockerfile": [
      "ARG V=20",
      "FROM golang AS unreached",
      "FROM node:${V}-alpine AS build",
      "FROM ghcr.io/a/b@sha256:" + "0".repeat(64) + " AS pinned",
      "FROM app-base",
      "COPY --from=build /x /x",
      "COPY --from=pinned /x /y",
      "COPY --from=busybox /bin/sh /sh",
      "COPY --from=tools:latest /t /t",
      "",
    ].join("\n"),
  });
  const description = await rig.describe({
    options: {
      contexts: {
        "app-base": { image: "base" },
        tools: { image: "tools" },
        unused: { image: "unused" },
      },
    },
  });
  assertEquals(description.images, ["base", "tools"]);
  assertEquals(description.bases, [
    "docker.io/library/busybox:latest",
    "docker.io/library/node:20-alpine",
    "ghcr.io/a/b@sha256:" + "0".repeat(64),
  ]);
});

Deno.test("describe() follows links that COPY follows, and takes bind mounts and named contexts", async () => {
  await using rig = await Rig.create({
    "Dockerfile": [
      "FROM scratch",
      "COPY current/file.txt /a",
      "COPY conf.d/*.conf /b/",
      "COPY --from=docs guide /c",
      "RUN --mount=type=bind,source=scripts,target=/s --mount=type=bind,from=docs,src=more,dst=/m \\",
      "  --mount=type=cache,target=/cache --mount=type=secret,id=x sh /s/run",
      "",
    ].join("\n"),
    "v1/file.txt": "1",
    "v1/other.txt": "1",
    "conf.d/own.conf": "",
    "real/linked.conf": "",
    "scripts/run": "",
    "manual/guide/index.md": "",
    "manual/guide/draft.md": "",
    "manual/more/x": "",
    "manual/.dockerignore": "**/draft.md\n",
  });
  Deno.symlinkSync("v1", `${rig.root}/current`);
  Deno.symlinkSync("../real/linked.conf", `${rig.root}/conf.d/linked.conf`);
  const options = { options: { contexts: { docs: "manual" } } };
  assertEquals(await rig.inputs(options), [
    "conf.d/linked.conf",
    "conf.d/own.conf",
    "current",
    "manual/guide/index.md",
    "manual/more/x",
    "real/linked.conf",
    "scripts/run",
    "v1/file.txt",
  ]);
  const description = await rig.describe(options);
  assertEquals(description.tools?.[0]?.anyOf, ["docker", "podman", "buildah"]);
});

Deno.test("describe() takes the whole context where only the base can say what is copied", async () => {
  await using rig = await Rig.create({
    "Dockerfile": "FROM node\nCOPY $WHERE/x ${NODE_ENV:-dev}.json /\n",
    "a": "",
    "b/c": "",
    "dev.json": "",
  });
  assertEquals(await rig.inputs(), ["Dockerfile", "a", "b/c", "dev.json"]);
  rig.write({ "Dockerfile": "FROM node\nENV WHERE=b\nCOPY $WHERE/c /\n" });
  assertEquals(await rig.inputs(), ["b/c"]);
});

Deno.test("describe() keeps a repository's history out unless it is named", async () => {
  await using rig = await Rig.create({
    "Dockerfile": "FROM scratch\nCOPY . /all\n",
    ".git/HEAD": "ref",
    ".images/records": "x",
    "a": "",
  });
  assertEquals(await rig.inputs(), ["Dockerfile", "a"]);
  rig.write({ "Dockerfile": "FROM scratch\nCOPY .git/HEAD /head\n" });
  assertEquals(await rig.inputs(), [".git/HEAD"]);
});
