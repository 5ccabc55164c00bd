/**
 * A machine that cannot build everything: without targets the rest is settled, and what is left is
 * told in one line each; what was named must succeed.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";

/** Nothing listens there. */
const NOWHERE = "127.0.0.1:9";

const CANNOT_REACH =
  `${NOWHERE} cannot be reached from here, and based needs ${NOWHERE}/org/base:1`;

const PROJECT = `{
  tasks: {
    before: task({ inputs: ["site/**"], outputs: ["made/**"], run: ["sh", "-c", "mkdir made; echo > made/x"] }),
  },
  images: {
    site: files({ layers: [{ from: "site", to: "/" }] }),
    based: dockerfile({ context: "based", needs: ["before"] }),
    above: files({ base: { image: "based" }, layers: [{ from: "site", to: "/" }] }),
    top: files({ base: { image: "above" }, layers: [{ from: "site", to: "/" }] }),
  },
}`;

async function projectWithBase(): Promise<TestProject> {
  return await TestProject.resident({
    "site/a": "a",
    "based/Dockerfile": `FROM ${NOWHERE}/org/base:1\nCOPY a /\n`,
    "based/a": "a",
  }, PROJECT);
}

Deno.test("build without targets leaves out what is based on an image out of reach", async () => {
  await using project = await projectWithBase();
  const { code, stderr } = await project.images("build", "--output", "plain");
  assertEquals(code, 0, stderr);
  const told = stderr.split("\n").filter((line) => line.startsWith("unavailable "));
  assertEquals(told, [
    `unavailable based: ${CANNOT_REACH}: ` +
    "check the network, or pin it where there is one (nothing listens there)",
    'unavailable above, top: It needs "based", which is unavailable',
  ]);
  const document = await project.json(["build"]);
  assertEquals([document.ok, document.totals], [true, { cached: 1, unavailable: 3, skipped: 1 }]);
  assertEquals(imageOf(document, "based").error?.message, CANNOT_REACH);
  // Only what cannot be built needs the task.
  assert(![...Deno.readDirSync(project.root)].some(({ name }) => name === "made"));
});

Deno.test("plan foresees what will be unavailable", async () => {
  await using project = await projectWithBase();
  const document = await project.json(["plan"]);
  const verdicts = document.images.map(({ name, verdict }) => [name, verdict]);
  assertEquals(Object.fromEntries(verdicts), {
    site: "build",
    based: "unavailable",
    above: "unavailable",
    top: "unavailable",
  });
  const { code, stdout } = await project.images("plan");
  assertEquals(code, 0);
  assertStringIncludes(stdout, `${CANNOT_REACH}: check the network`);
});

Deno.test("what was named must succeed, whatever cannot be reached", async () => {
  await using project = await projectWithBase();
  for (const args of [["--all"], ["based"], ["top"], ["based", "--keep-going"]]) {
    const document = await project.json(["build", ...args], 1);
    assertEquals(imageOf(document, "based").status, "failed", args.join(" "));
  }
});

Deno.test("an engine whose daemon does not run makes an image unavailable", async () => {
  await using project = await TestProject.resident(
    {
      "site/a": "a",
      "based/Dockerfile": `FROM ${NOWHERE}/org/base:1\nRUN true\n`,
      "local/Dockerfile": "FROM scratch\nCOPY a /\nRUN true\n",
      "local/a": "a",
    },
    PROJECT.replace(
      "images: {",
      'images: {\n    local: dockerfile({ context: "local", needs: ["before"] }),',
    ),
  );
  const daemon = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.";
  project.fakeTool("docker", `echo "${daemon} Is the docker daemon running?" >&2; exit 1`);
  project.env.PATH = `${project.beside("bin")}:${project.beside("usual")}`;
  Deno.mkdirSync(project.beside("usual"));
  for (const name of ["sh", "mkdir", "echo", "cat", "git"]) {
    Deno.symlinkSync(`/usr/bin/${name}`, `${project.beside("usual")}/${name}`);
  }
  const { code, stderr } = await project.images("build", "--output", "plain");
  assertEquals(code, 0, stderr);
  const told = stderr.split("\n").find((line) => line.startsWith("unavailable based, local: ")) ??
    stderr.split("\n").find((line) => line.startsWith("unavailable local, based: ")) ?? stderr;
  assertStringIncludes(told, "No engine can build it here: ");
  assertStringIncludes(told, daemon.slice(0, -1));
  assertStringIncludes(told, "start docker");
  assert(![...Deno.readDirSync(project.root)].some(({ name }) => name === "made"));
  const plan = await project.json(["plan"]);
  assertEquals(imageOf(plan, "local").verdict, "unavailable");
  assertEquals((await project.images("build", "local")).code, 3);
});
