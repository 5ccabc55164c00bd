import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { lookAtTools } from "../../tasks/doctor/tools.ts";
import { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";

const DOCKERFILE = "FROM scratch\nCOPY app /app\nRUN /app\n";

/** A project of one image for an engine and one for Nix; no program is on PATH but fake ones. */
async function sickProject(): Promise<TestProject> {
  const project = await TestProject.create({ Dockerfile: DOCKERFILE, app: "" });
  project.define(`{
    images: { app: dockerfile({}), server: nix2container({ installable: ".#server" }) },
  }`);
  project.fakeTool("git", "echo git version 2.39.5");
  project.env.PATH = project.beside("bin");
  project.env.HOME = project.beside("home");
  return project;
}

/** What `--json` says of each program, in one word. */
async function words(project: TestProject, code: number): Promise<Record<string, string>> {
  const found = await project.json(["doctor"], code) as unknown as {
    tools: { name: string; found: boolean; usable: boolean; why?: string }[];
  };
  return Object.fromEntries(found.tools.map(({ name, found, usable, why }) => [
    name,
    usable ? "usable" : found ? why ?? "" : "absent",
  ]));
}

Deno.test("doctor says of each program whether it works, and what to do", async (t) => {
  await using project = await sickProject();
  project.fakeTool(
    "docker",
    `case "$1" in --version) echo Docker version 26.1.5, build 1;;
     version) echo "warning: old" >&2; echo "Cannot connect to the daemon" >&2; exit 1;;
     buildx) test "$2" = version && echo v0.13.1 || printf 'Name: x\\nError: no builder\\n';; esac`,
  );
  project.fakeTool("nix", `test "$1" = --version && echo "nix (Nix) 2.8.0"`);
  project.env.PATH = project.beside("bin");
  const engines = { "docker": "Cannot connect to the daemon", "docker buildx": "no builder" };

  await t.step("nothing builds: 3, and what would", async () => {
    const broken = { ...engines, podman: "absent", buildah: "absent" };
    const others = { git: "usable", nix: "it ended with status 1", bazel: "absent" };
    assertEquals(await words(project, 3), { ...broken, ...others, attic: "absent" });
    const { code, stdout, stderr } = await project.images("doctor");
    assertEquals([code, stderr], [3, ""]);
    assertMatch(stdout, /✗ docker .*26\.1\.5 {2}Cannot connect to the daemon {2}it builds app\n/);
    assertMatch(stdout, /next: start its daemon/);
    assertMatch(stdout, /- podman +not installed\n {2}\S/);
    assertMatch(stdout, /\napp: needs docker, podman or buildah\nserver: needs nix\n/);
    assertMatch(stdout, /- bazel +not installed\n {2}\S/);
    assertMatch(stdout, /\n0 of 2 images can be built here\n$/);
    for (const line of stdout.split("\n")) assert(line.length <= 80, line);
  });

  await t.step("another engine does in its place", async () => {
    project.fakeTool("podman", `echo podman version 4.3.1`);
    project.fakeTool("nix", `echo "nix (Nix) 2.8.0"`);
    project.env.PATH = project.beside("bin");
    assertEquals(await words(project, 0), {
      ...{ git: "usable", nix: "usable", bazel: "absent", ...engines },
      ...{ podman: "usable", buildah: "absent", attic: "absent" },
    });
    const { stdout } = await project.images("doctor");
    assertMatch(stdout, /! docker .*\n {4}next: start its daemon.*; podman builds meanwhile\n/);
    assertMatch(stdout, /✓ podman +4\.3\.1 {2}builds app\n/);
    assertMatch(stdout, /\nready: 2 images can be built here\n$/);
    assert(project.starts("nix").some((args) => args.startsWith("store ping")));
  });

  await t.step("nothing is written but what files looked like", () => {
    const names = [...Deno.readDirSync(project.root)].map(({ name }) => name).sort();
    assertEquals(names, [".images", "Dockerfile", "app", "images.ts"]);
    const state = [...Deno.readDirSync(project.path(".images"))].map(({ name }) => name).sort();
    assertEquals(state, [".gitignore", "index", "tmp"]);
  });

  await t.step(
    "what keeps an image from being described, and images.ts from being read",
    async () => {
      Deno.removeSync(project.path("Dockerfile"));
      const missing = await project.images("doctor");
      assertEquals(missing.code, 1);
      assertMatch(
        missing.stdout,
        /\napp: images\.ts:\d+:\d+: There is no Dockerfile at Dockerfile\n {2}next: create it/,
      );
      project.define(`{ images: { app: dockerfile({ contxt: "." } as never) } }`);
      const broken = await project.images("doctor");
      assertEquals(broken.code, 2);
      assertMatch(broken.stdout, /images\.ts:\d+:\d+: .*contxt/);
      Deno.removeSync(project.path("images.ts"));
      const none = await project.images("doctor");
      assertEquals(none.code, 0);
      assertMatch(none.stdout, /No image is declared\.\nnext: `images init`/);
    },
  );
});

Deno.test("lookAtTools() waits for a program that hangs no longer than it is told to", async () => {
  await using project = await TestProject.create();
  project.fakeTool("podman", 'case "$1" in --version) echo 4.3.1;; *) exec sleep 1000;; esac');
  const tools = new URL("../../tasks/doctor/tools.ts", import.meta.url);
  const script = `
    import { lookAtTools } from "${tools}";
    console.log(JSON.stringify(await lookAtTools([], 2_000)));
    Deno.exit();`;
  const config = fromFileUrl(new URL("../../deno.json", import.meta.url));
  const { stdout } = await runTool([Deno.execPath(), "eval", `--config=${config}`, script], {
    env: { PATH: `${project.beside("bin")}:/bin:/usr/bin`, NO_COLOR: "1" },
  });
  const states = JSON.parse(stdout) as Awaited<ReturnType<typeof lookAtTools>>;
  const podman = states.find(({ name }) => name === "podman");
  assertEquals([podman?.version, podman?.usable, podman?.why], [
    "4.3.1",
    false,
    "no answer within 2 s",
  ]);
});

toolTest(
  ["docker-registry", "htpasswd"],
  "doctor tries to write each registry, and leaves nothing there",
  async (t) => {
    await using registry = await startLoopbackRegistry({
      basic: { user: "me", password: "hunter2-geheim" },
    });
    await using project = await sickProject();
    project.define(`{
      registries: { local: registry("${registry.host}/team") },
      images: { site: files({ layers: [{ from: "app", to: "/app" }] }) },
    }`);

    await t.step("without credentials it is refused, with the places that had none", async () => {
      const { code, stdout } = await project.images("doctor");
      assertEquals(code, 1);
      assertMatch(stdout, /✗ local {2}localhost:\d+\/team {2}/);
      assertMatch(stdout, /no credentials in IMAGES_LOCAL_USERNAME and _PASSWORD/);
      assertMatch(stdout, /next: /);
      assertMatch(stdout, /Cannot be written from here: local\n/);
    });

    await t.step("with wrong ones too", async () => {
      project.env.IMAGES_LOCAL_USERNAME = "me";
      project.env.IMAGES_LOCAL_PASSWORD = "wrong-geheim";
      const { code, stdout, stderr } = await project.images("doctor");
      assertEquals(code, 1);
      assertMatch(stdout, /with credentials from IMAGES_LOCAL_PASSWORD/);
      assert(!`${stdout}${stderr}`.includes("geheim"));
    });

    await t.step("with the right ones it may be written", async () => {
      project.env.IMAGES_LOCAL_PASSWORD = "hunter2-geheim";
      const { code, stdout, stderr } = await project.images("doctor", "--json");
      assertEquals([code, stderr], [0, ""]);
      assert(!stdout.includes("geheim"));
      const { registries: [local] } = JSON.parse(stdout);
      assertEquals([local.name, local.repository, local.writable], ["local", "team/site", true]);
      assertMatch(local.credentials, /^IMAGES_LOCAL_PASSWORD/);
      assertMatch((await project.images("doctor")).stdout, /✓ local .* may write team\/site, with/);
    });

    await t.step("the upload that was begun is cancelled, and nothing is left", async () => {
      const [begun, cancelled] = registry.requests().slice(-2);
      assertEquals(begun, "POST /v2/team/site/blobs/uploads/");
      assertMatch(cancelled ?? "", /^DELETE \/v2\/team\/site\/blobs\/uploads\/[0-9a-f-]{36}\?/);
      const headers = { authorization: `Basic ${btoa("me:hunter2-geheim")}` };
      const ask = async (path: string) => {
        const answer = await fetch(`http://${registry.host}${path}`, { headers });
        return [answer.status, await answer.text()] as const;
      };
      assertEquals((await ask(cancelled!.slice("DELETE ".length)))[0], 404);
      assertMatch((await ask("/v2/team/site/tags/list"))[1], /NAME_UNKNOWN/);
      const [status, catalog] = await ask("/v2/_catalog");
      assertEquals([status, JSON.parse(catalog)], [200, { repositories: [] }]);
    });
  },
);
