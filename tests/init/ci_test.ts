import { assertEquals, assertStringIncludes } from "@std/assert";
import { toolTest } from "../support/tools.ts";
import { assertCompiles, assertPlans, init, repository } from "./rig.ts";

const GITHUB = "https://github.com/acme/shop.git";
const GITLAB = "https://gitlab.com/acme/sub/shop.git";
const SCRATCH = "FROM scratch\nCOPY . /\n";

toolTest(["git"], "init carries over all that docker/build-push-action is given", async () => {
  await using project = await repository({
    "app/Dockerfile": "ARG VERSION\nFROM scratch AS prod\nCOPY . /\nFROM prod AS dev\n",
    "app/.npmrc": "",
    "libs/a": "",
    ".github/workflows/images.yml": `
env: { REGISTRY: ghcr.io, IMAGE: acme/front }
jobs:
  image:
    strategy: { matrix: { platform: [linux/amd64, linux/arm64] } }
    env: { VERSION: "1.2" }
    steps:
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: \${{ env.REGISTRY }}/\${{ env.IMAGE }}
          tags: |
            type=raw,value=stable
            type=ref,event=branch
            type=sha
      - uses: docker/build-push-action@v6
        with:
          context: app
          target: prod
          push: true
          platforms: \${{ matrix.platform }}
          build-args: |
            VERSION=\${{ env.VERSION }}
            COMMIT=\${{ github.sha }}
          build-contexts: libs=./libs
          secrets: |
            "id=npm,src=app/.npmrc"
            TOKEN=\${{ secrets.TOKEN }}
          ssh: default
          network: host
          cache-from: type=gha
          cache-to: type=gha,mode=max
          labels: |
            org.opencontainers.image.vendor=Acme
          shm-size: 1g
          tags: \${{ steps.meta.outputs.tags }}
`,
  }, GITHUB);
  const { images, found, registries } = await init(project);
  assertEquals(images, {
    front: ["dockerfile", {
      context: "app",
      target: "prod",
      args: { VERSION: "1.2" },
      contexts: { libs: "libs" },
      platforms: ["linux/amd64", "linux/arm64"],
      secrets: ["id=npm,src=app/.npmrc", "id=TOKEN,env=TOKEN"],
      ssh: ["default"],
      network: "host",
      cacheFrom: ["type=gha"],
      cacheTo: ["type=gha,mode=max"],
      tags: ["stable", "{branch}", "sha-{revision}"],
      labels: { "org.opencontainers.image.vendor": "Acme" },
    }],
  });
  assertEquals(found[0]?.omitted, [
    "shm-size: no recipe has it",
    "args.COMMIT: github.sha is only known where it is built",
  ]);
  assertEquals(registries, [{ name: "github", address: "ghcr.io/acme", visibility: "public" }]);
  const text = await assertPlans(project);
  assertStringIncludes(text, 'registry("ghcr.io/acme", { visibility: "public" })');
  assertStringIncludes(text, "// Left out: args.COMMIT: github.sha is only known");
});

toolTest(["git"], "init reads commands of scripts as a shell does", async () => {
  await using project = await repository({
    "svc/Dockerfile": "FROM scratch AS run\nCOPY . /\n",
    "a/Dockerfile": SCRATCH,
    "b/Dockerfile": SCRATCH,
    "kit/Containerfile": SCRATCH,
    ".github/workflows/ci.yml": `
jobs:
  one:
    env: { ORG: acme }
    steps:
      - run: |
          export TAG="v1" CHANNEL='stable one'
          docker buildx build --push --build-arg=CHANNEL="$CHANNEL" --build-arg LEVEL=\${LEVEL:-3} \\
            -t "ghcr.io/$ORG/service:$TAG" --tag ghcr.io/\${ORG}/service:latest \\
            --platform linux/amd64,linux/arm64 --secret id=s,env=S --target run --label a=b svc > log 2>&1
          for it in a b; do
            docker build -t ghcr.io/acme/$it $it && docker push ghcr.io/acme/$it
          done
      - working-directory: kit
        run: podman build -tquay.io/acme/kit . # the context is kit
`,
  });
  const { images, registries } = await init(project);
  assertEquals(images, {
    a: ["dockerfile", { context: "a" }],
    b: ["dockerfile", { context: "b" }],
    kit: ["dockerfile", { context: "kit", file: "kit/Containerfile" }],
    service: ["dockerfile", {
      context: "svc",
      target: "run",
      args: { CHANNEL: "stable one", LEVEL: "3" },
      platforms: ["linux/amd64", "linux/arm64"],
      secrets: ["id=s,env=S"],
      tags: ["latest", "v1"],
      labels: { a: "b" },
    }],
  });
  assertEquals(registries.map(({ address }) => address), ["ghcr.io/acme", "quay.io/acme"]);
  await assertPlans(project);
});

toolTest(["git"], "init follows called workflows, actions and their inputs", async () => {
  await using project = await repository({
    "Dockerfile": "FROM scratch AS web\nCOPY . /\nFROM web AS job\n",
    "tool/Dockerfile": SCRATCH,
    ".github/workflows/main.yml": `
jobs:
  web: { uses: ./.github/workflows/image.yml, with: { target: web, name: web } }
  job: { uses: ./.github/workflows/image.yml, with: { target: job, name: job } }
  tool: { steps: [{ uses: ./.github/actions/build, with: { folder: tool } }] }
`,
    ".github/workflows/image.yml": `
on: { workflow_call: { inputs: { target: { required: true }, name: { required: true } } } }
jobs:
  build:
    steps:
      - uses: docker/build-push-action@v3
        with:
          context: .
          target: \${{ inputs.target }}
          tags: ghcr.io/\${{ github.repository_owner }}/\${{ inputs.name }}:latest
`,
    ".github/actions/build/action.yml": `
inputs: { folder: {}, file: { default: "" } }
runs:
  using: composite
  steps: [{ run: "docker build -t ghcr.io/acme/tool \${{ inputs.folder }}", shell: bash }]
`,
  }, GITHUB);
  const { images } = await init(project);
  assertEquals(images, {
    web: ["dockerfile", { target: "web" }],
    job: ["dockerfile", { target: "job" }],
    tool: ["dockerfile", { context: "tool" }],
  });
  await assertPlans(project);
});

toolTest(["git"], "init leaves out what only CI knows, and says so", async () => {
  await using project = await repository({
    "Dockerfile": SCRATCH,
    ".github/workflows/ci.yml": `
on: { workflow_call: { inputs: { target: { required: true } } } }
jobs:
  build:
    steps:
      - uses: docker/build-push-action@v6
        with: { context: ., target: "\${{ inputs.target }}", tags: "x/\${{ vars.NAME }}:1" }
`,
  }, GITHUB);
  const { images, found } = await init(project);
  assertEquals(images, { shop: ["dockerfile", { tags: ["1"] }] });
  assertEquals(found[0]?.omitted, ["target: inputs.target is only known where it is built"]);
  const text = await assertPlans(project);
  assertEquals(text.includes("{{"), false);
});

toolTest(["git"], "init reads GitLab's pipelines with what they include", async () => {
  await using project = await repository({
    "api/Dockerfile": SCRATCH,
    "web/Dockerfile": "FROM scratch AS prod\nCOPY . /\n",
    ".gitlab-ci.yml": `
include:
  - local: /ci/*.yml
  - project: acme/templates
    file: x.yml
variables: { LEVEL: "2" }
api:
  extends: .kaniko
  variables: { NAME: api }
web:
  script:
    - !reference [.login, script]
    - docker build --build-arg LEVEL=$LEVEL --target prod -t $CI_REGISTRY_IMAGE/web:$CI_COMMIT_SHA web
    - docker push $CI_REGISTRY_IMAGE/web:$CI_COMMIT_SHA
`,
    "ci/build.yml": `
.login: { script: [docker login] }
.kaniko:
  script:
    - /kaniko/executor --context "$CI_PROJECT_DIR/$NAME" --dockerfile "\${CI_PROJECT_DIR}/$NAME/Dockerfile"
      --build-arg A=1 --destination "$CI_REGISTRY_IMAGE/$NAME:latest" --cache
`,
  }, GITLAB);
  const { images, notes, registries } = await init(project);
  assertEquals(images, {
    api: ["dockerfile", { context: "api", args: { A: "1" } }],
    web: ["dockerfile", {
      context: "web",
      target: "prod",
      args: { LEVEL: "2" },
      tags: ["{revision}"],
    }],
  });
  assertEquals(registries, [
    { name: "gitlab", address: "registry.gitlab.com/acme/sub", visibility: "private" },
  ]);
  assertStringIncludes(notes.join("\n"), "it includes acme/templates");
  const text = await assertPlans(project);
  assertStringIncludes(text, 'repository: "shop/api"');
});

// The last test of this file: it checks what those before it made init write.
toolTest(["git"], "init writes what passes the compiler", assertCompiles);
