/** Images built by a real Bazel, with rules of the shape of rules_img. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { imageOf } from "../support/project.ts";
import { commitAll } from "../support/real/fixture.ts";
import { runTool } from "../support/real/program.ts";
import { toolTest } from "../support/tools.ts";
import { type BazelProject, bazelProject, outputPath } from "./rig.ts";

const IMAGES = `{
  images: {
    app: rulesImg({ target: "//app:image" }),
    wrapped: files({ base: { image: "app" }, layers: [{ from: "README.md", to: "/srv" }] }),
    both: rulesImg({ target: "//app:index", platforms: ["linux/amd64", "linux/arm64"] }),
  },
}`;

/** Builds: an image and what is made of it, or what is named. */
async function build(rig: BazelProject, target = "wrapped...") {
  const document = await rig.project.json(["build", target]);
  const { status, reasons, digest, key } = imageOf(document, "app");
  const why = reasons.map(({ kind, path }) => `${kind} ${path ?? ""}`.trim());
  return { document, status, why, digest, key, started: rig.started() };
}

toolTest(["bazel", "node", "skopeo", "umoci"], "a Bazel image from source to record", async (t) => {
  await using rig = await bazelProject(IMAGES);
  const { project } = rig;
  await commitAll(project.root);
  const affected = async () => {
    const { stdout } = await project.images("affected", "--since", "HEAD");
    return stdout.trim().split("\n").filter((name) => name !== "");
  };
  project.write({ "nix/notes.txt": "of no image" });
  assertEquals((await affected()).includes("app"), true, "nobody knows yet what goes in");
  const first = await build(rig, "--all");

  await t.step("is built with one query and one build, and leaves no links", async () => {
    assertEquals([first.status, first.why], ["built", ["first-build"]]);
    assertEquals(first.started, ["query", "build"]);
    // Under bzlmod there is a lock by now.
    await commitAll(project.root);
    assertEquals(await affected(), []);
    const names = [...Deno.readDirSync(project.root)].map(({ name }) => name);
    assertEquals(names.filter((name) => name.startsWith("bazel-")), []);
    const layout = `oci:${project.path(".images/oci")}:app`;
    const seen = await runTool(["skopeo", "inspect", "--format", "{{.Digest}}", layout]);
    assertEquals(seen.stdout.trim(), first.digest);
    await runTool([
      "umoci",
      "unpack",
      "--rootless",
      "--image",
      layout.slice(4),
      project.beside("x"),
    ]);
    const page = Deno.readTextFileSync(project.beside("x/rootfs/app/build/client/index.html"));
    assertStringIncludes(page, "Runners");
  });

  await t.step("has the digest of the output group", async () => {
    await rig.run("build", "--symlink_prefix=/", "--output_groups=digest", "//app:image");
    assertEquals(Deno.readTextFileSync(await outputPath(rig, "app/image_digest")), first.digest);
  });

  await t.step("has a manifest for each platform of an index", () => {
    const images = first.document.images.filter(({ name }) => name === "both");
    assertEquals(images.map(({ platform, status }) => [platform, status]), [
      ["linux/amd64", "built"],
      ["linux/arm64", "built"],
      ["index", "built"],
    ]);
    assertEquals(images[0]!.digest, first.digest);
    assertNotEquals(images[1]!.digest, first.digest);
  });

  await t.step("is cached without Bazel when nothing changed, or was only touched", async () => {
    assertEquals(pick(await build(rig)), { status: "cached", started: [] });
    await runTool(["find", project.path("app"), "-type", "f", "-exec", "touch", "{}", "+"]);
    assertEquals(pick(await build(rig)), { status: "cached", started: [] });
  });

  await t.step("is built when a source changed, and names it", async () => {
    const path = "app/src/routes/index.md";
    project.write({ [path]: `${Deno.readTextFileSync(project.path(path))}\nMore.\n` });
    const again = await build(rig);
    assertEquals([again.status, again.why], ["built", [`input-changed ${path}`]]);
    assertNotEquals(again.digest, first.digest);
    assertEquals(imageOf(again.document, "wrapped").reasons[0]?.kind, "need-changed");
  });

  await t.step("is built when a glob matches another file", async () => {
    const index = Deno.readTextFileSync(project.path("app/src/routes/index.md"));
    project.write({ "app/src/routes/news.md": "# News\n" });
    assertEquals((await affected()).includes("app"), true);
    const again = await build(rig);
    assertEquals([again.status, again.why], ["built", ["input-added app/src/routes/news.md"]]);
    Deno.removeSync(project.path("app/src/routes/news.md"));
    const gone = await build(rig);
    assertEquals([gone.status, gone.why], ["cached", []]);
    project.write({ "app/src/routes/news.md": "# Other news\n" });
    await build(rig);
    Deno.removeSync(project.path("app/src/routes/index.md"));
    const other = await build(rig);
    assertEquals([other.status, other.why], ["built", ["input-removed app/src/routes/index.md"]]);
    project.write({ "app/src/routes/index.md": index });
    Deno.removeSync(project.path("app/src/routes/news.md"));
    assertEquals((await build(rig)).digest, gone.digest);
  });

  await t.step("leaves dependents cached when the outputs are alike", async () => {
    const before = (await build(rig)).digest;
    const path = "bazel/site.bzl";
    project.write({ [path]: `${Deno.readTextFileSync(project.path(path))}\n# A remark.\n` });
    const again = await build(rig);
    assertEquals([again.status, again.why], ["built", [`input-changed ${path}`]]);
    assertEquals(again.digest, before);
    assertEquals(imageOf(again.document, "wrapped").status, "cached");
  });

  await t.step(
    "is cached, Bazel asked once, when something appears that does not go in",
    async () => {
      project.write({ "app/notes.txt": "not of the image" });
      assertEquals(pick(await build(rig)), { status: "cached", started: ["query"] });
      assertEquals(pick(await build(rig)), { status: "cached", started: [] });
      project.write({ "app/notes.txt": "changed" });
      assertEquals(pick(await build(rig)), { status: "cached", started: [] });
    },
  );

  await t.step("asks Bazel when a flag changed, the workspace's or the user's", async () => {
    const own = Deno.readTextFileSync(project.path(".bazelrc"));
    project.write({ ".bazelrc": `${own}build --define=color=blue\n` });
    const again = await build(rig);
    assertEquals([again.status, again.why], ["built", ["input-changed .bazelrc"]]);
    assertEquals(again.started, ["query", "build"]);

    const user = `${rig.bazel.home}/.bazelrc`;
    Deno.writeTextFileSync(user, "build --define=color=red\n", { append: true });
    const other = await build(rig);
    assertEquals(other.status, "built");
    assertMatch(other.why[0]!, /^option-changed --define/);
    assertEquals(pick(await build(rig)), { status: "cached", started: [] });
    Deno.writeTextFileSync(user, "build --jobs=1 --verbose_failures\n", { append: true });
    assertEquals(pick(await build(rig)), { status: "cached", started: ["query"] });
  });

  await t.step("comes back from the store's loss without a new key", async () => {
    const { key } = await build(rig);
    Deno.removeSync(project.path(".images/oci"), { recursive: true });
    const again = await build(rig);
    assertEquals([again.status, again.why, again.key], ["built", ["result-missing"], key]);
    assert(again.started.includes("build"));
  });
});

function pick<T extends { status: unknown; started: unknown }>({ status, started }: T) {
  return { status, started };
}
