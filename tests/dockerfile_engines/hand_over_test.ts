/** What engines are handed, and which is chosen: fakes that write down what they get. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TestProject } from "../support/project.ts";

/** A docker with buildx that keeps its context and Dockerfile, then fails. */
const BUILDX = `
case "$1 $2" in
  "buildx inspect") echo "Driver: docker-container"; exit 0 ;;
  "buildx build") ;;
  *) exit 1 ;;
esac
for last in "$@"; do
  [ "$before" = --file ] && cp "$last" "$KEEP/Dockerfile"
  case "$last" in
    *=*/context-*) [ "$before" = --build-context ] && cp -a "\${last#*=}" "$KEEP/named" ;;
  esac
  before=$last
done
cp -a "$last" "$KEEP/context"
env > "$KEEP/environment"
exit 1`;

const NO_BUILDX = `echo "docker: 'buildx' is not a docker command." >&2; exit 1`;

async function project(dockerfile: string, options = ""): Promise<TestProject> {
  const made = await TestProject.create({
    "app/Dockerfile": dockerfile,
    "app/.dockerignore": "hidden\n",
    "app/src/program": "1",
    "app/src/hidden": "2",
    "app/other": "3",
    "data/d": "4",
    "data/e": "5",
    "secret": "s3cret-value",
  });
  Deno.chmodSync(made.path("app/src/program"), 0o700);
  Deno.symlinkSync("program", made.path("app/src/link"));
  made.define(`{ images: { app: dockerfile({ context: "app", ${options} }) } }`);
  Deno.mkdirSync(made.beside("keep"));
  made.env["KEEP"] = made.beside("keep");
  // Only what a test puts there is there.
  for (const name of ["docker", "podman", "buildah"]) made.fakeTool(name, "exit 1");
  return made;
}

const kept = (made: TestProject, path: string) =>
  Deno.readTextFileSync(`${made.beside("keep")}/${path}`);

Deno.test("an engine gets the files, arguments and names of the key, and no others", async () => {
  const text = [
    "# syntax=docker/dockerfile:1",
    "ARG BASE=scratch",
    "FROM never.example/x AS unreached",
    "RUN false",
    "FROM ${BASE} AS one",
    "COPY src /src",
    "FROM one AS two",
    "ARG GIVEN",
    "ARG TOKEN",
    "COPY --from=1 /src /a",
    "RUN --mount=type=bind,from=data,source=d,target=/d \\",
    "    --mount=type=secret,id=s make",
    "FROM two AS later",
    "RUN false",
    "",
  ].join("\n");
  await using made = await project(
    text,
    `target: "two", args: { GIVEN: "g", UNUSED: "u" }, hostEnv: ["TOKEN"], network: "none",
     secrets: ["id=s,src=secret"], ssh: ["default"], contexts: { data: "data" },
     cacheFrom: ["type=gha"], cacheTo: ["type=gha,mode=max"], platforms: ["linux/arm64"], created: 86400`,
  );
  made.env["TOKEN"] = "t0ken-value";
  made.fakeTool("docker", BUILDX);
  const { code } = await made.images("build", "app", "--builder", "far");
  assertEquals(code, 1);
  const [inspect = "", build = ""] = made.starts("docker");
  assertEquals(inspect, "buildx inspect far");
  const tidy = build.replaceAll(
    new RegExp(`${made.path(".images/tmp/")}build[\\w.-]+/`, "g"),
    "TMP/",
  )
    .replaceAll(/context-\w+\/[0-9a-f]{32}/g, "CONTEXT");
  assertEquals(
    tidy,
    [
      "buildx build --progress plain --builder far --provenance=false --sbom=false",
      "--file TMP/0-dockerfile/Dockerfile --platform linux/arm64 --target two --network none",
      "--build-arg GIVEN=g --build-arg TOKEN --cache-from type=gha",
      `--secret id=s,type=file,src=${made.path("secret")} --ssh default`,
      "--cache-to type=gha,mode=max --build-context images-context-0=TMP/CONTEXT",
      "--output type=oci,dest=TMP/1-result,tar=false,compression=uncompressed TMP/CONTEXT",
    ].join(" "),
  );
  assertEquals(kept(made, "Dockerfile").split("\n"), [
    "# syntax=docker/dockerfile:1",
    "ARG BASE=scratch",
    "",
    "",
    "FROM scratch AS one",
    "COPY src /src",
    "FROM one AS two",
    "ARG GIVEN",
    "ARG TOKEN",
    "COPY --from=one /src /a",
    "RUN --mount=type=bind,from=images-context-0,source=d,target=/d \\",
    "    --mount=type=secret,id=s make",
    "",
    "",
    "",
  ]);
  assertMatch(kept(made, "environment"), /^SOURCE_DATE_EPOCH=86400$/m);
  assertEquals(listed(`${made.beside("keep")}/context`), [
    "/ folder 755 86400",
    "/src folder 755 86400",
    "/src/hidden file 644 86400",
    "/src/link link 777 86400",
    "/src/program file 755 86400",
  ]);
  assertEquals(listed(`${made.beside("keep")}/named`), ["/ folder 755 86400", "/d file 644 86400"]);
});

Deno.test("names are replaced in flags however they are quoted and cut into lines", async () => {
  await using made = await project(
    [
      "FROM scratch",
      "FROM scratch",
      'COPY --from="0" src /a',
      "COPY \\",
      "  # --from=0",
      "  --fr\\",
      "",
      "om=\\",
      "0\\",
      " --chown=1 /from=0 /b",
      'RUN --network=none --mount=\'type=bind,"from=data",target=/a b\' --mount=from="0",target=/c\\',
      "   make --from=0",
      "RUN make",
    ].join("\n"),
    'contexts: { data: "data" }',
  );
  made.fakeTool("docker", BUILDX);
  await made.images("build", "app");
  assertEquals(kept(made, "Dockerfile").split("\n").slice(2), [
    "COPY --from=images-stage-0 src /a",
    "COPY \\",
    "  # --from=0",
    "  --from=images-stage-0\\",
    "",
    "\\",
    "\\",
    " --chown=1 /from=0 /b",
    "RUN --network=none --mount=type=bind,from=images-context-0,target=/a\\ b " +
    "--mount=from=images-stage-0,target=/c\\",
    "   make --from=0",
    "RUN make",
  ]);
});

Deno.test("a context's folder is named after what is in it, as BuildKit goes by names", async () => {
  await using made = await project("FROM scratch\nCOPY src /src\nRUN make\n");
  made.fakeTool("docker", BUILDX);
  const name = async () => {
    await Deno.remove(made.beside("keep"), { recursive: true });
    Deno.mkdirSync(made.beside("keep"));
    await made.images("build", "app");
    return made.starts("docker").at(-1)!.split("/").at(-1)!;
  };
  const first = await name();
  made.write({ "app/other": "changed" });
  assertEquals(await name(), first);
  made.write({ "app/src/program": "7" }, 0o700);
  assertEquals(await name() === first, false);
});

Deno.test("auto takes the first engine that works and knows what is demanded", async (t) => {
  const works = { podman: "echo 1.28.2", buildah: "echo buildah version 1.28.2" };
  const cases: readonly {
    readonly name: string;
    readonly tools: Readonly<Record<string, string>>;
    readonly dockerfile?: string;
    readonly args?: readonly string[];
    readonly variable?: string;
    readonly starts: readonly string[];
  }[] = [
    {
      name: "podman where docker has no buildx",
      tools: { docker: NO_BUILDX, ...works },
      starts: ["docker buildx", "podman info", "podman build"],
    },
    {
      name: "buildah where neither answers",
      tools: { docker: "echo 'Error:         Cannot connect'", buildah: works.buildah },
      starts: ["docker buildx", "podman info", "buildah --version", "buildah build"],
    },
    {
      name: "docker without buildx as the last, if its daemon answers",
      tools: { docker: `[ "$1" = version ] && echo 26.1` },
      starts: [
        "docker buildx",
        "podman info",
        "buildah --version",
        "docker version",
        "docker build",
      ],
    },
    {
      name: "the named one",
      tools: works,
      args: ["--engine", "buildah"],
      variable: "podman",
      starts: ["buildah --version", "buildah build"],
    },
    {
      name: "the one of the environment",
      tools: works,
      variable: "buildah",
      starts: ["buildah --version", "buildah build"],
    },
    {
      name: "none that is too old",
      tools: { ...works, buildah: "echo buildah version 1.33.0" },
      dockerfile: "FROM scratch\nRUN <<EOF\nmake\nEOF\n",
      starts: ["docker buildx", "podman info", "buildah --version", "buildah build"],
    },
  ];
  for (const { name, tools, dockerfile, args = [], variable, starts } of cases) {
    await t.step(name, async () => {
      await using made = await project(dockerfile ?? "FROM scratch\nRUN make\n");
      for (const [tool, script] of Object.entries(tools)) made.fakeTool(tool, script);
      if (variable !== undefined) made.env["IMAGES_DOCKERFILE_ENGINE"] = variable;
      await made.images("build", "app", ...args);
      const started = ["docker", "podman", "buildah"].flatMap((tool) =>
        made.starts(tool).map((line) => `${tool} ${line.split(" ")[0]}`)
      );
      assertEquals([...new Set(started)].sort(), [...starts].sort());
    });
  }
});

Deno.test("an image is unavailable where no engine does, and says why each does not", async () => {
  await using made = await project("FROM scratch\nRUN <<EOF\nmake\nEOF\n");
  made.fakeTool("docker", "echo 'Cannot connect to the Docker daemon.' >&2; exit 1");
  made.fakeTool("podman", "echo 1.28.2");
  made.fakeTool("buildah", "echo 'Error: no store' >&2; exit 1");
  const { code, stderr } = await made.images("build", "app");
  assertEquals(code, 3);
  assertStringIncludes(
    stderr,
    "docker buildx: Cannot connect to the Docker daemon; podman 1.28.2 does not know a " +
      "here-document; buildah: no store; docker: Cannot connect to the Docker daemon",
  );
  assertEquals((await made.images("build")).code, 0);
  const named = await made.images("build", "app", "--engine", "podman");
  assertMatch(named.stderr, /It cannot be built with podman 1\.28\.2 does not know/);
  made.env["IMAGES_DOCKERFILE_ENGINE"] = "podmann";
  assertMatch((await made.images("build", "app")).stderr, /There is no engine "podmann"/);
});

function listed(folder: string, at = ""): string[] {
  const { isDirectory, isSymlink, mode, mtime } = Deno.lstatSync(`${folder}${at}`);
  const kind = isDirectory ? "folder" : isSymlink ? "link" : "file";
  const line = `${at || "/"} ${kind} ${(mode! & 0o777).toString(8)} ${mtime!.getTime() / 1000}`;
  if (!isDirectory) return [line];
  const names = [...Deno.readDirSync(`${folder}${at}`)].map(({ name }) => name).sort();
  return [line, ...names.flatMap((name) => listed(folder, `${at}/${name}`))];
}
