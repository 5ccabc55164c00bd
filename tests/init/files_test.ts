import { assertEquals, assertStringIncludes } from "@std/assert";
import { toolTest } from "../support/tools.ts";
import { assertCompiles, assertPlans, init, repository } from "./rig.ts";

const SCRATCH = "FROM scratch\nCOPY . /\n";

toolTest(["git"], "init reads bake files as bake does", async () => {
  await using project = await repository({
    "web/Dockerfile": "FROM scratch AS prod\nCOPY . /\n",
    "base/Dockerfile": SCRATCH,
    "jobs/Dockerfile": "FROM scratch AS mail\nCOPY . /\nFROM mail AS bill\n",
    "docs/Dockerfile": SCRATCH,
    "docker-bake.hcl": `
variable "REGISTRY" { default = "ghcr.io/acme" }
variable "UNSET" {}
variable "TAG" { default = "edge" }
group "default" { targets = ["web", "jobs", "lint"] }
target "_common" {
  platforms = ["linux/amd64", "linux/arm64"]
  args = { LEVEL = "1" }
}
target "base" { context = "base" }
target "web" {
  inherits = ["_common"]
  context = "web"
  target = "prod"
  tags = ["\${REGISTRY}/front:\${TAG}"]
  args = { NAME = REGISTRY, DATE = timestamp(), UNSET = UNSET }
  contexts = { base = "target:base" }
  secret = ["id=npm,src=.npmrc"]
}
target "jobs" {
  matrix = { job = ["mail", "bill"] }
  name = "job-\${job}"
  context = "jobs"
  target = job
  tags = ["\${REGISTRY}/job-\${job}"]
}
target "lint" {
  context = "docs"
  output = ["type=cacheonly"]
}
`,
    ".npmrc": "",
  });
  const { images, found, notes } = await init(project);
  const both = ["linux/amd64", "linux/arm64"];
  assertEquals(images, {
    base: ["dockerfile", { context: "base", platforms: both }],
    docs: ["dockerfile", { context: "docs" }],
    front: ["dockerfile", {
      context: "web",
      target: "prod",
      args: { LEVEL: "1", NAME: "ghcr.io/acme" },
      platforms: both,
      secrets: ["id=npm,src=.npmrc"],
      tags: ["edge"],
      contexts: { base: { image: "base" } },
    }],
    "job-bill": ["dockerfile", { context: "jobs", target: "bill" }],
    "job-mail": ["dockerfile", { context: "jobs", target: "mail" }],
  });
  assertEquals(found.find(({ name }) => name === "front")?.omitted, [
    "args.DATE: timestamp() is only known where it is built",
  ]);
  assertStringIncludes(notes.join("\n"), "the target lint makes no image");
  await assertPlans(project);
});

toolTest(["git"], "init applies what CI sets when it calls bake", async () => {
  await using project = await repository({
    "Dockerfile": SCRATCH,
    "docker-bake.json": `{ "target": { "app": { "tags": ["ghcr.io/acme/app"] } } }`,
    ".github/workflows/ci.yml": `
jobs:
  bake:
    steps:
      - uses: docker/bake-action@v6
        with:
          push: true
          targets: app
          set: |
            *.platform=linux/arm64
            app.args.MODE=ci
`,
  });
  const { images } = await init(project);
  assertEquals(images, {
    app: ["dockerfile", { args: { MODE: "ci" }, platforms: ["linux/arm64"] }],
  });
  await assertPlans(project);
});

toolTest(["git"], "init reads compose files as compose does", async () => {
  await using project = await repository({
    "base/Dockerfile": SCRATCH,
    "app/Dockerfile": "ARG BASE\nFROM $BASE AS prod\nCOPY . /\n",
    "common/web/Dockerfile": SCRATCH,
    "lib/a": "",
    "token.txt": "",
    ".env": "LEVEL=7\nSET=fromfile\n",
    "common/services.yaml": `
services:
  web: { build: { context: web, args: [A=1, "B=\${NONE:-two}"] } }
`,
    "compose.yaml": `
services:
  base: { image: acme/base:1, build: ./base }
  app:
    profiles: [full]
    image: acme/app
    platform: linux/amd64
    build:
      context: app
      target: prod
      args: { BASE: "acme/base:1", LEVEL: "\${LEVEL}", GONE: "\${GONE}", SET: }
      additional_contexts: { lib: ./lib, root: "service:base" }
      secrets: [token, other]
      network: host
      shm_size: 1g
  web:
    extends: { file: common/services.yaml, service: web }
  inline: { build: { dockerfile_inline: "FROM scratch" } }
  db: { image: "registry.example.com/team/db:1" }
secrets:
  token: { file: ./token.txt }
  other: { environment: OTHER }
`,
  });
  const { images, found, notes, registries } = await init(project);
  assertEquals(images, {
    app: ["dockerfile", {
      context: "app",
      target: "prod",
      args: { BASE: "acme/base:1", LEVEL: "7", SET: "fromfile" },
      contexts: { lib: "lib", root: { image: "base" }, "acme/base:1": { image: "base" } },
      platforms: ["linux/amd64"],
      secrets: ["id=token,src=token.txt", "id=other,env=OTHER"],
      network: "host",
    }],
    base: ["dockerfile", { context: "base", platforms: ["linux/amd64"] }],
    web: ["dockerfile", { context: "common/web", args: { A: "1", B: "two" } }],
  });
  assertEquals(found.find(({ name }) => name === "app")?.omitted, [
    "shm_size: no recipe has it",
    "args.GONE: GONE is only known where it is built",
  ]);
  assertStringIncludes(notes.join("\n"), "inline has its Dockerfile inline");
  assertEquals(registries, []);
  await assertPlans(project);
});

toolTest(["git"], "init reads skaffold files", async () => {
  await using project = await repository({
    "a/Dockerfile": "ARG BASE=scratch\nFROM $BASE\nCOPY . /\n",
    "b/Dockerfile": SCRATCH,
    "skaffold.yaml": `
build:
  platforms: [linux/arm64]
  artifacts:
    - image: acme/a
      context: a
      requires: [{ image: acme/b, alias: BASE }]
      docker: { buildArgs: { LEVEL: "1", SHA: "{{.GIT}}" } }
    - { image: acme/b, context: b }
    - { image: acme/jvm, jib: {} }
`,
  });
  const { images, notes } = await init(project);
  const platforms = ["linux/arm64"];
  assertEquals(images, {
    a: ["dockerfile", {
      context: "a",
      args: { BASE: "acme/b", LEVEL: "1" },
      platforms,
      contexts: { "acme/b": { image: "b" } },
    }],
    b: ["dockerfile", { context: "b", platforms }],
  });
  assertStringIncludes(notes.join("\n"), "acme/jvm is built by jib");
  await assertPlans(project);
});

toolTest(
  ["git"],
  "init tells components of one name apart, and Dockerfiles from sources",
  async () => {
    await using project = await repository({
      "shop/api/Dockerfile": SCRATCH,
      "blog/api/Dockerfile": SCRATCH,
      "services/cart/src/Dockerfile": SCRATCH,
      "docker/mail/Dockerfile": SCRATCH,
      "jobs/bill/build/Dockerfile.slim": SCRATCH,
      "pkg/dockerfile.go": "package docker\n",
      "pkg/Dockerfile.j2": "FROM {{ base }}\n",
      "examples/x/Dockerfile": SCRATCH,
      "noarg/Dockerfile": "ARG BASE\nFROM $BASE\n",
    });
    const { images, notes } = await init(project);
    assertEquals(Object.keys(images).sort(), [
      "bill-slim",
      "blog-api",
      "cart",
      "mail",
      "noarg",
      "shop-api",
    ]);
    const text = await assertPlans(project);
    assertStringIncludes(text, "// noarg: dockerfile(");
    assertStringIncludes(text, "// FROM $BASE has no value");
    assertStringIncludes(notes.join("\n"), "left out examples/x/Dockerfile");
    assertStringIncludes(text, "pkg/Dockerfile.j2: it is a template");
  },
);

toolTest(["git"], "init lets CI decide between several ways of one component", async () => {
  const flake = `{ outputs = { self }: { packages.x86_64-linux = {
    web = n2c.buildImage { name = "acme/shop-web"; };
    old = pkgs.dockerTools.buildImage { name = "old"; };
  }; }; }`;
  const files = { "flake.nix": flake, "web/Dockerfile": SCRATCH };
  await using docker = await repository({
    ...files,
    ".github/workflows/ci.yml": "jobs: { a: { steps: [{ run: docker build -t acme/web web }] } }\n",
  });
  const first = await init(docker);
  assertEquals(first.images, { web: ["dockerfile", { context: "web" }] });
  assertStringIncludes(first.notes.join("\n"), "old is made by dockerTools");
  const text = await assertPlans(docker);
  assertStringIncludes(text, "// Also in flake.nix: nix2container(");
  assertStringIncludes(text, "// flake.nix: old is made by dockerTools");
  await using nix = await repository({
    ...files,
    ".gitlab-ci.yml": "web: { script: ['nix run .#web.copyToRegistry', 'docker build web'] }\n",
  });
  assertEquals((await init(nix)).images, {
    web: ["nix2container", { installable: ".#web" }],
  });
});

toolTest(["git"], "init begins an images.ts that builds where nothing is found", async () => {
  await using project = await repository({ "README.md": "Hello\n" });
  assertEquals((await init(project)).images, {});
  const { code, stdout, stderr } = await project.images("build", "--json", "--no-remote");
  assertEquals(code, 0, stderr);
  assertEquals(JSON.parse(stdout).totals, { built: 1 });
});

// The last test of this file: it checks what those before it made init write.
toolTest(["git"], "init writes what passes the compiler", assertCompiles);
