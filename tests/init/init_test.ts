import { assertEquals, assertStringIncludes } from "@std/assert";
import { TestProject } from "../support/project.ts";
import { copyFixture } from "../support/real/fixture.ts";
import { runTool } from "../support/real/program.ts";
import { toolTest } from "../support/tools.ts";
import { init, repository } from "./rig.ts";

/** Every images.ts that was written, by what it was written for. */
type Written = Map<string, string>;

/** The images.ts is as `deno fmt` would have it, and can be planned. */
async function assertGood(project: TestProject, written: Written, name: string): Promise<void> {
  const path = project.path("images.ts");
  written.set(name, Deno.readTextFileSync(path));
  await runTool([Deno.execPath(), "fmt", "--check", "-q", "--no-config", path]);
  const { code, stdout, stderr } = await project.images("plan", "--json", "--no-remote");
  assertEquals(code, 0, `${stdout}${stderr}`);
}

const SCRATCH = "FROM scratch\nCOPY . /\n";

toolTest(
  ["git"],
  "init proposes each component of the flywheel by the way that suits it",
  async (t) => {
    await using fixture = await copyFixture("flywheel");
    await using project = await repository({}, "git@github.com:Acme/Flywheel.git");
    await runTool(["cp", "-rT", fixture.path, project.root]);
    const { images, written, registries } = await init(project);
    assertEquals(images, {
      "attic-server": ["nix2container", { installable: ".#attic-server-image" }],
      app: ["rules_img", { target: "//app:image" }],
      "runner-dashboard": ["dockerfile", { context: "app" }],
      "runner-dashboard-static": ["dockerfile", {
        context: "app",
        file: "app/Dockerfile.static",
      }],
    });
    assertEquals(registries, [{ name: "github", address: "ghcr.io/acme", visibility: "public" }]);
    assertEquals(written, [project.path("images.ts"), project.path("deno.json")]);
    const text = Deno.readTextFileSync(project.path("images.ts"));
    assertStringIncludes(
      text,
      '"org.opencontainers.image.source": "https://github.com/Acme/Flywheel"',
    );
    await t.step("its images.ts is checked by the deno.json it wrote", async () => {
      await runTool([Deno.execPath(), "check", "-q", "images.ts"], { cwd: project.root });
    });
    await t.step("its task runs", async () => {
      const task = ["task", "-q", "images", "list", "--json"];
      const { stdout } = await runTool([Deno.execPath(), ...task], { cwd: project.root });
      assertEquals(JSON.parse(stdout).images.length, 4);
    });
    await t.step("a second time it finds nothing to add", async () => {
      const before = Deno.readTextFileSync(project.path("deno.json"));
      const { stdout, stderr } = await project.images("init");
      assertEquals(stdout, "");
      assertStringIncludes(stderr, "nothing to add");
      assertEquals(Deno.readTextFileSync(project.path("images.ts")), text);
      assertEquals(Deno.readTextFileSync(project.path("deno.json")), before);
    });
  },
);

toolTest(["git", "nix"], "init asks Nix which outputs are images", async () => {
  await using fixture = await copyFixture("flywheel");
  await using project = await TestProject.resident();
  await runTool(["cp", "-rT", fixture.path, project.root]);
  // Read off the files this would be an image; Nix knows that it is none of the outputs.
  project.write({ "other.nix": '{ n2c }: { hidden-image = n2c.buildImage { name = "h"; }; }' });
  const { images, notes } = await init(project);
  assertEquals(notes, []);
  assertEquals(Object.keys(images), [
    "attic-server",
    "app",
    "runner-dashboard",
    "runner-dashboard-static",
  ]);
});

toolTest(["git"], "init writes over nothing, and prints what is to be added", async () => {
  await using project = await repository({
    "web/Dockerfile": SCRATCH,
    "api/Dockerfile": SCRATCH,
    "deno.json": '{ "tasks": { "test": "deno test" } }\n',
  });
  project.define(`{ images: { front: dockerfile({ context: "web" }) } }`);
  const before = Deno.readTextFileSync(project.path("images.ts"));
  const { code, stdout, stderr } = await project.images("init");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, 'api: dockerfile({ context: "api" }),');
  assertEquals(stdout.includes('context: "web"'), false);
  assertStringIncludes(stdout, '"images/plugins": ');
  assertStringIncludes(stdout, '"images": "deno run -A');
  assertEquals(Deno.readTextFileSync(project.path("images.ts")), before);
  assertEquals(
    Deno.readTextFileSync(project.path("deno.json")),
    '{ "tasks": { "test": "deno test" } }\n',
  );
});

toolTest(["git"], "init", async (t) => {
  const written: Written = new Map();
  await t.step(
    "reads flakes, and prefers nix2container where a Dockerfile builds the same",
    async () => {
      await using project = await repository({
        "flake.nix": `{
  outputs = { self, nixpkgs, nix2container }: {
    packages.x86_64-linux = let
      # old-image = n2c.buildImage { name = "old"; };
    in {
      web-image = nix2container.packages.x86_64-linux.nix2container.buildImage {
        name = "registry.example.com/acme/web";
        config = { };
      };
      "job.image" = n2c.buildImage { config.cmd = [ "run" ]; name = "job"; };
      legacy = pkgs.dockerTools.buildLayeredImage { name = "legacy"; };
    };
  };
}`,
        "web/Dockerfile": SCRATCH,
      }, "https://user:token@gitlab.com/acme/sub/shop.git");
      const { images, found, registries, notes } = await init(project);
      assertEquals(images, {
        job: ["nix2container", { installable: '.#"job.image"' }],
        web: ["nix2container", { installable: ".#web-image" }],
      });
      assertEquals(found.find(({ name }) => name === "web")?.alternatives, [
        { method: "dockerfile", source: "web/Dockerfile" },
      ]);
      assertEquals(registries, [{
        name: "gitlab",
        address: "registry.gitlab.com/acme/sub",
        visibility: "private",
      }]);
      assertStringIncludes(notes.join("\n"), "legacy is made by dockerTools");
      const text = Deno.readTextFileSync(project.path("images.ts"));
      assertStringIncludes(text, 'repository: "shop/web"');
      assertStringIncludes(text, '// Also in web/Dockerfile: dockerfile({ context: "web" })');
      assertEquals(text.includes("token"), false);
      await assertGood(project, written, "reads flakes");
    },
  );

  await t.step("takes names, contexts and arguments from CI and compose files", async () => {
    await using project = await repository({
      "docker/worker.Dockerfile": "FROM scratch\nCOPY src/worker /worker\n",
      "docker/api/Dockerfile": `FROM scratch AS x
COPY server.js /
FROM x
COPY --from=x a b
`,
      "docker/api/server.js": "",
      "src/worker/main.ts": "",
      "site/Dockerfile": SCRATCH,
      "Dockerfile": "FROM scratch AS base\nFROM base AS debug\n",
      "node_modules/x/Dockerfile": SCRATCH,
      "tests/fixtures/Dockerfile": SCRATCH,
      "compose.yaml": `services:
  front:
    image: ghcr.io/acme/shop-front:dev
    build: { context: ./site, args: { LEVEL: "1", TOKEN: "$TOKEN" } }
  db: { image: "postgres:16" }
`,
      ".github/workflows/ci.yml": `jobs:
  images:
    steps:
      - uses: docker/build-push-action@v6
        with:
          context: .
          target: debug
          push: true
          tags: |
            ghcr.io/\${{ github.repository_owner }}/shop-debug:latest
      - run: |
          docker buildx build --push -t "ghcr.io/acme/worker:$SHA" \\
            --build-arg X=1 -f docker/worker.Dockerfile .
          echo done && podman build --tag=shop .
`,
    });
    const { images, registries } = await init(project);
    assertEquals(images, {
      "shop-debug": ["dockerfile", { target: "debug" }],
      shop: ["dockerfile", {}],
      api: ["dockerfile", { context: "docker/api" }],
      worker: ["dockerfile", { file: "docker/worker.Dockerfile", args: { X: "1" } }],
      "shop-front": ["dockerfile", { context: "site", args: { LEVEL: "1" } }],
    });
    assertEquals(registries, [{ name: "github", address: "ghcr.io/acme", visibility: "public" }]);
    await assertGood(project, written, "takes names");
  });

  await t.step("reads the image targets of Bazel workspaces", async () => {
    await using project = await repository({
      "backend/MODULE.bazel": "",
      "backend/BUILD": `image_manifest(name = "image", base = "@x")`,
      "backend/services/BUILD.bazel": `
load("@rules_img//img:image.bzl", "image_index", "image_manifest")
# image_manifest(name = "commented")
image_manifest(name = "web_image", layers = ["a"], env = {"A": ")"})
[image_manifest(name = "job_" + arch) for arch in ["amd64"]]
[image_manifest(name = n, arch = a) for (n, a) in [("mail", "amd64"), ("mail_arm64", "arm64")]]
`,
      "backend/multi/BUILD.bazel": `image_index(name = "index", manifests = [])`,
      "elsewhere/BUILD.bazel": `image_manifest(name = "no_workspace")`,
      "backend/old/BUILD": `oci_image(name = "x")`,
    });
    const { images, notes } = await init(project);
    const target = (label: string) => ["rules_img", { target: label, workspace: "backend" }];
    assertEquals(images, {
      backend: target("//:image"),
      mail: target("//services:mail"),
      multi: target("//multi:index"),
      web: target("//services:web_image"),
    });
    assertStringIncludes(notes.join("\n"), "rules_oci");
    await assertGood(project, written, "reads the image targets of Bazel workspaces");
  });

  await t.step(
    "begins an images.ts where nothing is found, and where there is no git",
    async () => {
      await using project = await TestProject.resident({ "site/index.html": "x" });
      const { images, registries } = await init(project);
      assertEquals([images, registries], [{}, []]);
      await assertGood(project, written, "nothing");
      await using bare = await TestProject.resident({
        "web/Dockerfile": SCRATCH,
        "web/node_modules/x/Dockerfile": SCRATCH,
      });
      bare.env.PATH = "/nowhere";
      assertEquals((await init(bare)).images, { web: ["dockerfile", { context: "web" }] });
      const missing = await bare.images("init", "--file", "nowhere/images.ts");
      assertEquals(missing.code, 2);
      assertStringIncludes(missing.stderr, "next: make it first");
    },
  );

  await t.step("writes what passes the compiler", async () => {
    await using project = await TestProject.resident();
    const files = [...written.values()].map((text, at) => ({ path: `${at}.ts`, text }));
    for (const { path, text } of files) project.write({ [path]: text });
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const paths = files.map(({ path }) => project.path(path));
    await runTool([Deno.execPath(), "check", "-q", `--config=${config}`, ...paths]);
    assertEquals(files.length, 4);
  });
});

toolTest(["git"], "init writes no colours into a file", async () => {
  await using project = await repository({ "Dockerfile": "FROM scratch\n" });
  project.env.NO_COLOR = "";
  const { code, stderr } = await project.images("init");
  assertEquals(code, 0);
  assertStringIncludes(stderr, "Dockerfile");
  assertEquals(stderr.includes("\x1b"), false);
});
