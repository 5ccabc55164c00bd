import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { tempFolder } from "../support/real/temp_folder.ts";
import { toolTest } from "../support/tools.ts";
import { layOut } from "./golden.ts";
import { FlakeProject, FLYWHEEL } from "./rig.ts";

const TOOLS = ["nix", "git", "node", "docker-registry"];

/** The cache server of the miniature flake. */
const attic = (host: string) =>
  `{
    registries: { team: registry("${host}/team") },
    images: { "attic-server": nix2container({
      installable: ".#attic-server-image",
      expect: { files: ["/bin/atticd"], cmd: ["--mode", "monolithic"] },
    }) },
  }`;

toolTest(
  [...TOOLS, "skopeo", "umoci"],
  "attic-server goes from its source to the registry",
  async (t) => {
    await using registry = await startLoopbackRegistry();
    await using flake = await FlakeProject.create(FLYWHEEL, attic(registry.host));
    const { project } = flake;
    const reference = `${registry.host}/team/attic-server`;

    await t.step("pushed, and other tools read it", async () => {
      const { images } = await project.json(["push"]);
      assertEquals(images[0]?.status, "built");
      assertEquals(images[0]?.destinations?.map(({ status }) => status), ["pushed", "retagged"]);
      await using folder = await tempFolder("umoci");
      const layout = `${folder.path}/layout`;
      await runTool([
        ...["skopeo", "copy", "-q", "--src-tls-verify=false"],
        ...[`docker://${reference}:latest`, `oci:${layout}:latest`],
      ]);
      await runTool(["umoci", "unpack", "--image", `${layout}:latest`, `${folder.path}/bundle`]);
      const rootfs = `${folder.path}/bundle/rootfs`;
      const target = Deno.readLinkSync(`${rootfs}/bin/atticd`);
      assertStringIncludes(Deno.readTextFileSync(rootfs + target), "monolithic");
      const config = JSON.parse(Deno.readTextFileSync(`${folder.path}/bundle/config.json`));
      assertEquals(config.process.args.slice(1), ["--mode", "monolithic"]);
      const { stdout } = await runTool([
        ...["skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${reference}:latest`],
      ]);
      const sizes = JSON.parse(stdout).layers.map(({ size }: { size: number }) => size);
      assert(sizes.length === 2 && sizes.every((size: number) => size > 0), stdout);
    });

    await t.step("again: cached, and no nix is started", async () => {
      assertEquals(await flake.builds({ "attic-server": "cached" }), []);
      assertEquals(await flake.started(() => project.json(["push"])), []);
    });

    await t.step("an unrelated file changed: one evaluation", async () => {
      project.write({ "app/README.md": "changed\n" });
      assertEquals(await flake.builds({ "attic-server": "cached" }), ["eval"]);
    });

    await t.step("the source changed: built, and the reason names it", async () => {
      project.write({ "attic/index.html": `<h1>${crypto.randomUUID()}</h1>\n` });
      const { status, reasons } = imageOf(await project.json(["build"]), "attic-server");
      assertEquals(status, "built");
      assertEquals(reasons, [{ kind: "input-changed", path: "attic/index.html" }]);
      assertEquals((await project.json(["push"])).images[0]?.destinations?.[0]?.status, "pushed");
    });

    await t.step("a clone with nothing of its own: no evaluation, no build", async () => {
      await flake.git("add", "-A");
      await flake.git("commit", "-qm", "changed");
      await runTool(["rm", "-rf", project.path(".images")]);
      assertEquals(await flake.builds({ "attic-server": "remote" }), []);
      assertEquals(await flake.builds({ "attic-server": "cached" }), []);
    });
  },
);

toolTest(TOOLS, "an image on a Nix image is published with the layers that Nix made", async () => {
  await using registry = await startLoopbackRegistry();
  await using flake = await FlakeProject.create(
    FLYWHEEL,
    `{
      registries: { team: registry("${registry.host}/team") },
      images: {
        "attic-server": nix2container({ installable: ".#attic-server-image" }),
        docs: files({ base: { image: "attic-server" }, layers: [{ from: "attic", to: "/docs" }] }),
      },
    }`,
  );
  const pushed = await flake.project.json(["push", "docs"]);
  const { status, destinations } = imageOf(pushed, "docs");
  assertEquals([status, destinations?.[0]?.status], ["built", "pushed"]);
  const { code, stdout } = await flake.project.images("inspect", "docs", "--json");
  assertEquals(code, 0);
  assertStringIncludes(stdout, "/docs/atticd.sh");
  assertStringIncludes(stdout, "/bin/atticd");
});

toolTest(TOOLS, "a store path that was tampered with is not published, and is named", async () => {
  await using registry = await startLoopbackRegistry();
  const salt = crypto.randomUUID();
  await using flake = await FlakeProject.create(
    { ...FLYWHEEL, "attic/index.html": salt },
    attic(registry.host),
  );
  const { project } = flake;
  await project.json(["build", "--no-remote"]);
  const [layer] = recordOf(project).layers;
  const path = layer.places[0].requires.find((each: string) => each.endsWith("atticd-0.1.0"));
  const page = `${path}/share/atticd/www/index.html`;
  assertEquals(Deno.readTextFileSync(page), salt);
  try {
    Deno.writeTextFileSync(page, salt.toUpperCase());
    const document = await project.json(["push"], 1);
    const { destinations } = imageOf(document, "attic-server");
    assertEquals(destinations?.map(({ status }) => status), ["failed"]);
    assertStringIncludes(destinations?.[0]?.detail ?? "", page);
    const tags = await fetch(`http://${registry.host}/v2/team/attic-server/tags/list`);
    assertEquals([tags.status, (await tags.json()).errors?.[0]?.code], [404, "NAME_UNKNOWN"]);
  } finally {
    Deno.writeTextFileSync(page, salt);
    Deno.utimeSync(page, 1, 1);
  }
});

toolTest(
  ["docker-registry", "strace"],
  "only a changed layer is read and sent, also from nothing",
  async () => {
    await using registry = await startLoopbackRegistry();
    await using project = await TestProject.resident();
    project.define(`{
    registries: { team: registry("${registry.host}/team") },
    images: { golden: nix2container({ manifest: "image.json" }) },
  }`);
    await layOut("10-portable", project.root);
    const layersOf = async () => {
      const { images } = await project.json(["push"]);
      const digest = images[0]?.destinations?.[0]?.digest;
      const answer = await fetch(`http://${registry.host}/v2/team/golden/manifests/${digest}`, {
        headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
      });
      return (await answer.json()).layers.map((layer: { digest: string }) => layer.digest);
    };
    const before = await layersOf();
    await changeLast(project);
    await runTool(["rm", "-rf", project.path(".images")]);
    const trace = project.beside("trace");
    const traced = await runTool(
      [
        ...["strace", "-f", "-qq", "-e", "trace=openat", "-o", trace],
        ...[Deno.execPath(), ...project.commandLine("push")],
      ],
      { cwd: project.root },
    );
    assertStringIncludes(traced.stderr, "1 pushed");
    const opened = Deno.readTextFileSync(trace).split("\n").filter((line) =>
      !line.includes("O_DIRECTORY")
    );
    assertEquals(opened.filter((line) => line.includes("/store/0c8m")), []);
    assert(opened.some((line) => line.includes("/root/etc/passwd")));
    const after = await layersOf();
    assertEquals(after[0], before[0]);
    assertNotEquals(after[1], before[1]);
  },
);

/** Gives the last layer another file, and image.json its new digest. */
async function changeLast(project: TestProject): Promise<void> {
  const { readImageJson } = await import("../../plugins/nix2container/image_json.ts");
  const { tarEntries } = await import("../../plugins/nix2container/layer_tar.ts");
  const { writeTar } = await import("../../lib/oci/tar.ts");
  const { sha256 } = await import("../../lib/oci/sha256.ts");
  Deno.writeTextFileSync(project.path("root/etc/passwd"), "other:x:1:1::/:/bin/sh\n");
  const file = project.path("image.json");
  const last = readImageJson(file).layers.at(-1)!;
  const at = { base: project.root, storeRoot: "" };
  const tar = writeTar(tarEntries(last.paths, at));
  const bytes = new Uint8Array(await new Response(ReadableStream.from(tar)).arrayBuffer());
  const json = JSON.parse(Deno.readTextFileSync(file));
  const digest = sha256(bytes);
  Object.assign(json.layers.at(-1), { digest, diff_ids: digest, size: bytes.length });
  Deno.writeTextFileSync(file, JSON.stringify(json));
}

// deno-lint-ignore no-explicit-any
function recordOf(project: TestProject): any {
  const folder = project.path(".images/records/images");
  const [record] = [...Deno.readDirSync(folder)];
  return JSON.parse(Deno.readTextFileSync(`${folder}/${record!.name}`));
}
