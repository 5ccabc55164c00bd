/** Names of files, stages, arguments and platforms, and those that were probably meant. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { formatPlatform, parsePlatform } from "../../lib/model/platform.ts";
import { filesOf } from "./files_of.ts";
import { TestProject } from "../support/project.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { Rig } from "./rig.ts";

const SCRATCH = "FROM scratch\nCOPY x /x\n";
const OPTIONS = { options: { context: "app" } };

Deno.test("what docker or podman build takes in a folder is taken", async () => {
  for (const name of ["Dockerfile", "dockerfile", "Containerfile"]) {
    await using rig = await Rig.create({ [`app/${name}`]: SCRATCH, "app/x": "x" });
    await rig.build(OPTIONS);
  }
  await using rig = await Rig.create({
    "app/Dockerfile": SCRATCH,
    "app/Containerfile": "FROM scratch\nCOPY missing /\n",
    "app/x": "x",
  });
  await rig.build(OPTIONS);
});

Deno.test("a Dockerfile that is not there is told with those that are", async () => {
  await using rig = await Rig.create({ "app/Dockerfile.prod": SCRATCH, "app/web.Dockerfile": "" });
  assertMatch(
    (await rig.fault(OPTIONS)).next ?? "",
    /by `file`.*: app\/Dockerfile\.prod, app\/web\.Dockerfile$/,
  );
  const named = await rig.fault({ options: { context: "app", file: "app/Dockerfile.prd" } });
  assertEquals(named.message, "There is no Dockerfile at app/Dockerfile.prd");
});

Deno.test(".containerignore hides, and counts alone beside .dockerignore", async () => {
  await using rig = await Rig.create({
    "app/Dockerfile": "FROM scratch\nCOPY . /\n",
    "app/.containerignore": "*.env\n",
    "app/a.env": "a",
    "app/b.md": "b",
  });
  const files = async () =>
    (await rig.inputs(OPTIONS)).filter((path) => /env|md/.test(path)).join(" ");
  assertEquals(await files(), "app/b.md");
  rig.write({ "app/.dockerignore": "*.md\n" });
  assertEquals(await files(), "app/b.md");
  assertEquals((await rig.describe(OPTIONS)).notices, [
    "app/.dockerignore is not used: app/.containerignore is there too",
  ]);
  rig.write({ "app/Dockerfile.containerignore": "*.md\n" });
  assertEquals(await files(), "app/a.env");
  rig.write({ "app/Dockerfile.dockerignore": "nothing\n" });
  assertEquals(await files(), "app/a.env app/b.md");
  assertEquals((await rig.describe(OPTIONS)).notices, undefined);
});

Deno.test("bases are mentioned with their lines, and with a stage whose name is near", async () => {
  await using rig = await Rig.create({
    "Dockerfile": "FROM scratch AS builder\nFROM node:20\nCOPY --from=bulder /a /a\n" +
      "RUN --mount=from=biulder,target=/b true\nCOPY --from=postgres /c /c\n",
  });
  const { mentions = {} } = await rig.describe();
  const shown = Object.entries(mentions).map(([name, { place, next }]) =>
    [name, place.line, place.column, next?.match(/"(.*)"/)?.[1]].join(" ")
  );
  assertEquals(shown.sort(), [
    "docker.io/library/biulder:latest 4 18 builder",
    "docker.io/library/bulder:latest 3 13 builder",
    "docker.io/library/node:20 2 6 ",
    "docker.io/library/postgres:latest 5 13 ",
  ]);
});

Deno.test("arguments that nothing takes are told, with the one that was meant", async () => {
  await using rig = await Rig.create({
    "Dockerfile": "FROM scratch\nARG VERSION=1\nONBUILD ARG LATER\n",
  });
  const told = async (options: Parameters<Rig["describe"]>[0]) =>
    (await rig.describe(options)).notices ?? [];
  assertEquals(await told({ options: { args: { VERSON: "2" } } }), [
    "No ARG of Dockerfile takes VERSON, which args gives: write VERSION if that was meant",
  ]);
  assertEquals(await told({ args: { VERISON: "2" } }), [
    "No ARG of Dockerfile takes VERISON, which --arg gives: write VERSION if that was meant",
  ]);
  assertEquals(await told({ env: { CI_JOB: "2" } }), [
    'No ARG of Dockerfile takes CI_JOB, which hostEnv gives: add "ARG CI_JOB", or remove it',
  ]);
  const fine = { VERSION: "1", LATER: "1", HTTP_PROXY: "", no_proxy: "", BUILDKIT_SYNTAX: "x" };
  assertEquals(await told({ options: { args: { ...fine, TARGETARCH: "arm" } } }), []);
  // --arg is for all images of a run.
  assertEquals(await told({ args: { OTHER: "2" } }), []);
});

Deno.test("platforms are read as container tools write them", () => {
  const cases = {
    "amd64": "linux/amd64",
    "x86_64": "linux/amd64",
    "linux/x86-64": "linux/amd64",
    "arm64/v8": "linux/arm64",
    "aarch64": "linux/arm64",
    "linux/arm64/8": "linux/arm64",
    "arm": "linux/arm/v7",
    "linux/arm": "linux/arm/v7",
    "linux/arm/7": "linux/arm/v7",
    "arm/v6": "linux/arm/v6",
    "armhf": "linux/arm/v7",
    "LINUX/AMD64": "linux/amd64",
    "windows/amd64": "windows/amd64",
    "amd64/v3": "linux/amd64/v3",
  };
  for (const [text, platform] of Object.entries(cases)) {
    assertEquals(formatPlatform(parsePlatform(text)), platform, text);
  }
  for (const text of ["", "linux", "amd46", "linux/", "a/b/c/d"]) {
    assertThrows(() => parsePlatform(text));
  }
});

Deno.test("FROM takes a platform's other names, and an image for Windows is refused", async () => {
  await using rig = await Rig.create({ "app/Dockerfile": SCRATCH, "app/x": "x" });
  const base = await rig.image("base", [[]]);
  rig.write({ "app/Dockerfile": "FROM --platform=amd64 base\nCOPY x /x\n" });
  await rig.build({ ...OPTIONS, bases: { "docker.io/library/base:latest": base } });
  const fault = await rig.fault({ ...OPTIONS, platform: "windows/amd64" });
  assertEquals(fault.message, "An image for windows/amd64 is not built");
  assertEquals(fault.place?.line, 1);
});

Deno.test("EXPOSE takes addresses of IP in front of ports, and nothing else", async () => {
  const ports = async (words: string) => {
    await using rig = await Rig.create({ "Dockerfile": `FROM scratch\nEXPOSE ${words}\n` });
    return Object.keys((await rig.build()).config.config?.ExposedPorts ?? {}).join(" ");
  };
  assertEquals(await ports("127.0.0.1:80-81:80-81/UDP [::1]:80:82"), "80/udp 81/udp 82/tcp");
  assertEquals(await ports("8000-8010:90 ::1:1:91/sctp 0"), "0/tcp 90/tcp 91/sctp");
  const refused = [
    "localhost:8080:80",
    "web:80",
    "0.0.0.0:1-2:7-9",
    "1.2.3:1:80",
    "1.2.3.4.:1:80",
    "01.2.3.4:1:80",
    "[::g]:1:80",
    "80/icmp",
    "80/tcp/udp",
    "65536",
    "9-8",
    "-1",
    "80-",
  ];
  for (const word of refused) {
    await using rig = await Rig.create({ "Dockerfile": `FROM scratch\nEXPOSE ${word}\n` });
    const fault = await rig.fault();
    assertMatch(fault.message, /^Cannot expose/);
    assertEquals(fault.place?.line, 2, word);
  }
});

Deno.test("a pattern without a match copies nothing, and is told where it is all", async () => {
  await using rig = await Rig.create({
    "app/Dockerfile": "FROM scratch\nCOPY x none* /a/\nCOPY none* nope/?/x /b/\n",
    "app/x": "x",
  });
  const files = Object.keys(await filesOf((await rig.build(OPTIONS)).image.layers));
  assertEquals(files, ["/a", "/a/x"]);
  assertEquals(rig.notices.length, 1);
  assertMatch(rig.notices[0]!, /^app\/Dockerfile:3: nothing in .* matches none\* nope\/\?\/x/);
});

Deno.test("a base that is not there is told with its line", async () => {
  await using registry = await FaultyRegistry.start();
  await using project = await TestProject.resident({
    "Dockerfile": `FROM scratch AS one\nFROM ${registry.host}/a/b\n`,
  });
  project.define("{ images: { app: dockerfile({}) } }");
  const { stderr } = await project.images("build", "app", "--no-remote");
  assertMatch(stderr, /Dockerfile:2:6: /);
});
