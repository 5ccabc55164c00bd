import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { Mirrors } from "../../lib/registry/mirrors.ts";
import { TestProject } from "../support/project.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { tempFolder } from "../support/real/temp_folder.ts";
import { toolTest } from "../support/tools.ts";

/** The places a text makes of a repository, as `host/repository`, `!` where plain http is allowed. */
async function places(text: string, name: string, byDigest = true): Promise<string[]> {
  await using folder = await tempFolder("conf");
  const path = `${folder.path}/registries.conf`;
  await Deno.writeTextFile(path, text);
  const mirrors = await Mirrors.load({ CONTAINERS_REGISTRIES_CONF: path });
  const slash = name.indexOf("/");
  return mirrors.locations(name.slice(0, slash), name.slice(slash + 1), byDigest)
    .map(({ host, repository, insecure }) => `${host}/${repository}${insecure ? "!" : ""}`);
}

const HUB = `
[[registry]]
prefix = "docker.io"
location = "docker.io"

[[registry.mirror]]
location = "localhost:5000/hub"
insecure = true

[[registry.mirror]]
location = "mirror.example.com"
pull-from-mirror = "digest-only"

[[registry]]
prefix = "docker.io/library"
location = "localhost:7000/mine"
`;

Deno.test("locations() asks mirrors first and the place itself last", async () => {
  assertEquals(await places(HUB, "docker.io/org/app"), [
    "localhost:5000/hub/org/app!",
    "mirror.example.com/org/app",
    "docker.io/org/app",
  ]);
  assertEquals(await places(HUB, "docker.io/org/app", false), [
    "localhost:5000/hub/org/app!",
    "docker.io/org/app",
  ]);
});

Deno.test("locations() goes by the longest prefix, and by whole components", async () => {
  assertEquals(await places(HUB, "docker.io/library/node"), ["localhost:7000/mine/node"]);
  assertEquals(await places(HUB, "docker.io/library2/node"), [
    "localhost:5000/hub/library2/node!",
    "mirror.example.com/library2/node",
    "docker.io/library2/node",
  ]);
  assertEquals(await places(HUB, "quay.io/org/app"), ["quay.io/org/app"]);
});

Deno.test("locations() knows subdomains, mirrors of digests only, and blocked places", async () => {
  const wild = '[[registry]]\nprefix = "*.example.com"\n[[registry.mirror]]\nlocation = "m.io/x"\n';
  assertEquals(await places(wild, "a.b.example.com/app"), ["m.io/x/app", "a.b.example.com/app"]);
  assertEquals(await places(wild, "example.com/app"), ["example.com/app"]);
  const digests = '[[registry]]\nlocation = "q.io"\nmirror-by-digest-only = true\n' +
    '[[registry.mirror]]\nlocation = "m.io"\n';
  assertEquals(await places(digests, "q.io/app", true), ["m.io/app", "q.io/app"]);
  assertEquals(await places(digests, "q.io/app", false), ["q.io/app"]);
  const blocked = '[[registry]]\nlocation = "q.io"\nblocked = true\n';
  const fault = await assertRejects(() => places(blocked, "q.io/app"), Fault);
  assertEquals(fault.where, "q.io/app");
});

Deno.test("locations() sends nothing to what is no host", async () => {
  for (const location of ["gcr?.io/x", "q.io:http", "a.io/X"]) {
    const text = `[[registry]]\nprefix = "q.io"\nlocation = "${location}"\n`;
    const fault = await assertRejects(() => places(text, "q.io/app"), Fault);
    assertStringIncludes(fault.message, location);
    assertStringIncludes(fault.next ?? "", "registries.conf");
  }
});

Deno.test("Mirrors.load() names the file it cannot read", async () => {
  const fault = await assertRejects(() => places("[[registry]]\nlocation = \n", "a.io/b"), Fault);
  assertStringIncludes(fault.message, "registries.conf");
  await assertRejects(() => places("[[registry]]\ninsecure = true\n", "a.io/b"), Fault, "neither");
});

Deno.test("the user's file stands in the place of the machine's, and files beside it on top", async () => {
  await using home = await tempFolder("home");
  const folder = `${home.path}/.config/containers/registries.conf.d`;
  await Deno.mkdir(folder, { recursive: true });
  const rule = (location: string) => `[[registry]]\nprefix = "q.io"\nlocation = "${location}"\n`;
  await Deno.writeTextFile(folder.replace(/\.d$/, ""), rule("main.io"));
  const location = async () =>
    (await Mirrors.load({ HOME: home.path })).locations("q.io", "app", true)[0]!.host;
  assertEquals(await location(), "main.io");
  await Deno.writeTextFile(`${folder}/10-a.conf`, rule("a.io"));
  await Deno.writeTextFile(`${folder}/20-b.conf`, rule("b.io"));
  await Deno.writeTextFile(`${folder}/30-c.txt`, rule("c.io"));
  assertEquals(await location(), "b.io");
});

toolTest(["docker-registry"], "a base on Docker Hub comes from its mirror", async () => {
  await using registry = await startLoopbackRegistry();
  await using base = await TestProject.resident({ "site/index.html": "base\n" });
  base.define(`{
    registries: { hub: registry("${registry.host}/library") },
    images: { base: files({ layers: [{ from: "site", to: "/srv" }], cmd: ["/serve"] }) },
  }`);
  await base.json(["push"]);
  await using project = await TestProject.resident({
    "app/Dockerfile": "FROM base\nCOPY a.txt /srv/\n",
    "app/a.txt": "a\n",
  });
  project.define(`{ images: { app: dockerfile({ context: "app" }) } }`);
  project.write({
    "registries.conf": `[[registry]]\nprefix = "docker.io"\nlocation = "${registry.host}"\n`,
  });
  project.env.CONTAINERS_REGISTRIES_CONF = project.path("registries.conf");
  const { images: [built] } = await project.json(["build"]);
  assertEquals(built?.status, "built");
  const archive = project.beside("out");
  await project.json(["export", "app", "--to", `oci:${archive}`]);
  const index = JSON.parse(await Deno.readTextFile(`${archive}/index.json`));
  assertEquals(index.manifests.length, 1);
});
