import { assertEquals, assertMatch } from "@std/assert";
import { toolTest } from "../support/tools.ts";
import { TestProject } from "../support/project.ts";
import { siteProject } from "./projects.ts";

toolTest(
  ["skopeo", "umoci", "oci-image-tool"],
  "other tools read the layout and what is exported",
  async (t) => {
    await using project = await siteProject();
    Deno.chmodSync(project.path("site/style.css"), 0o755);
    await project.statuses();
    const layout = project.path(".images/oci");
    await t.step("oci-image-tool", async () => {
      await run("oci-image-tool", "validate", "--type", "image", "--ref", "name=site", layout);
    });
    await t.step("skopeo", async () => {
      const config = JSON.parse(await run("skopeo", "inspect", "--config", `oci:${layout}:site`));
      assertEquals(config.config.Cmd, ["/serve"]);
    });
    await t.step("umoci", async () => {
      const bundle = project.beside("bundle");
      await run("umoci", "unpack", "--image", `${layout}:site`, bundle);
      const listing = await run("find", `${bundle}/rootfs`, "-printf", "%P %m %U:%G\n");
      assertEquals(listing.trimEnd().split("\n").sort(), [
        " 755 0:0",
        "srv 755 0:0",
        "srv/index.html 644 0:0",
        "srv/style.css 755 0:0",
      ]);
    });
    for (const form of ["oci", "oci-archive", "docker-archive"]) {
      await t.step(`export to ${form}`, async () => {
        const path = project.beside(form);
        assertEquals((await project.images("export", "site", "--to", `${form}:${path}`)).code, 0);
        const { Digest, Layers } = JSON.parse(await run("skopeo", "inspect", `${form}:${path}`));
        assertMatch(Digest, /^sha256:/);
        assertEquals(Layers.length, 1);
      });
    }
    await t.step("export to a pipe", async () => {
      const to = "docker-archive:/proc/self/fd/1";
      const { code, stdout } = await project.images("export", "site", "--to", to);
      assertEquals(code, 0);
      assertMatch(stdout, /^manifest\.json\0/);
    });
    await t.step("no export in place of a folder", async () => {
      const to = `oci-archive:${project.beside("oci")}`;
      const { code, stderr } = await project.images("export", "site", "--to", to);
      assertEquals(code, 2);
      assertMatch(stderr, /\/oci: Cannot write there: it is a folder\nnext: /);
    });
    await t.step("no folder where none can be made", async () => {
      const { code, stderr } = await project.images("export", "site", "--to", "oci:/proc/images");
      assertEquals(code, 1);
      assertMatch(stderr, /^\/proc\/images: No folder can be made there\nnext: /m);
    });
    await t.step("each of several names of one manifest", async () => {
      project.write({ "twin/x": "x" });
      const twin = `files({ layers: [{ from: "twin", to: "/srv" }] })`;
      project.define(`{ images: { first: ${twin}, second: ${twin}, third: ${twin} } }`);
      await project.statuses();
      const digests = new Set<string>();
      for (const name of ["first", "second", "third"]) {
        const image = `oci:${layout}:${name}`;
        digests.add(await run("skopeo", "inspect", "--format", "{{.Digest}}", image));
        await run("umoci", "unpack", "--image", `${layout}:${name}`, project.beside(name));
        // oci-image-tool passes over entries when it looks for one of more than two.
        const alone = project.beside(`${name}-alone`);
        await project.images("export", name, "--to", `oci:${alone}`);
        await run("oci-image-tool", "validate", "--type", "image", "--ref", `name=${name}`, alone);
      }
      assertEquals(digests.size, 1);
    });
  },
);

toolTest(["oci-image-tool", "skopeo"], "an image of files without layers is valid", async () => {
  const definition = `{
    images: {
      bare: files({ layers: [], labels: { a: "b" } }),
      again: files({ base: { image: "bare" }, layers: [], cmd: ["/x"] }),
    },
  }`;
  await using project = await TestProject.resident({}, definition);
  assertEquals(await project.statuses(), { bare: "built", again: "built" });
  const layout = project.path(".images/oci");
  for (const name of ["bare", "again"]) {
    await run("oci-image-tool", "validate", "--type", "image", "--ref", `name=${name}`, layout);
    const manifest = JSON.parse(await run("skopeo", "inspect", "--raw", `oci:${layout}:${name}`));
    assertEquals(manifest.layers.length, 1);
    const { history } = JSON.parse(
      await run("skopeo", "inspect", "--config", `oci:${layout}:${name}`),
    );
    assertEquals(history, [{ created: "1970-01-01T00:00:00Z", created_by: "files" }]);
  }
});

async function run(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (code !== 0) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
