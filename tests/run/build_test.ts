import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";
import { SITE, siteProject } from "./projects.ts";

Deno.test("build gives the same key and digest whatever the folder, umask, times and owner", async () => {
  await using first = await siteProject();
  await using second = await siteProject();
  for (const path of ["site/index.html", "site/style.css"]) {
    Deno.chmodSync(second.path(path), 0o600);
    Deno.utimeSync(second.path(path), 1e9, 1e9);
    if (Deno.uid() === 0) Deno.chownSync(second.path(path), 1234, 1234);
  }
  Deno.chmodSync(second.path("site"), 0o700);
  const one = imageOf(await first.json(["build"]), "site");
  const other = imageOf(await second.json(["build"]), "site");
  assertEquals(other.key, one.key);
  assertEquals(other.digest, one.digest);
  assertEquals(other.imageId, one.imageId);
  assertMatch(one.key ?? "", /^[0-9a-f]{64}$/);
  assertEquals(one.tag, `content-${one.key?.slice(0, 32)}`);
});

Deno.test("build does nothing for a touched file, or when another image's recipe changes", async () => {
  await using project = await siteProject();
  await project.statuses();
  Deno.utimeSync(project.path("site/index.html"), 2e9, 2e9);
  assertEquals(await project.statuses(), { site: "cached", other: "cached" });
  project.define(SITE.replace('to: "/srv" }] })', 'to: "/srv" }], cmd: ["/x"] })'));
  assertEquals(await project.statuses(), { site: "cached", other: "built" });
});

Deno.test("a missing result is built again", async () => {
  await using project = await siteProject();
  const { digest, imageId } = imageOf(await project.json(["build"]), "site");
  const pathOf = (blob = "") => project.path(`.images/oci/blobs/sha256/${blob.slice(7)}`);
  const losses = [
    () => Deno.removeSync(pathOf(digest)),
    () => Deno.truncateSync(pathOf(digest), 10),
    () => Deno.truncateSync(pathOf(imageId), 10),
  ];
  for (const lose of losses) {
    lose();
    const built = imageOf(await project.json(["build"]), "site");
    assertEquals(built.status, "built");
    assertEquals(built.reasons, [{ kind: "result-missing" }]);
  }
});

Deno.test("standard output is for results, whatever images.ts prints", async () => {
  // Not resident: what images.ts prints, it prints when it is loaded.
  await using project = await TestProject.create({ "site/a": "a\n", "other/a": "a\n" }, SITE);
  project.write({ "noise.ts": 'console.log("noise"); console.info("noise");' });
  project.write({
    "images.ts": `import "./noise.ts";\n${Deno.readTextFileSync(project.path("images.ts"))}`,
  });
  assertEquals((await project.json(["build"])).ok, true);
  const { stdout, stderr } = await project.images("list");
  assertEquals(stdout, "site   files\nother  files\n");
  assertEquals(stderr, "noise\nnoise\n");
});

Deno.test("build refuses to build nothing at once", async () => {
  await using project = await siteProject();
  const { code, stderr } = await project.images("build", "--jobs", "0");
  assertEquals(code, 2);
  assertStringIncludes(stderr, "next: give --jobs at least 1");
});

Deno.test("an image of several platforms becomes an index", async () => {
  await using project = await siteProject();
  project.define(SITE.replace("cmd:", 'platforms: ["linux/amd64", "linux/arm64"], cmd:'));
  const { images } = await project.json(["build", "site"]);
  assertEquals(images.map(({ platform }) => platform), ["linux/amd64", "linux/arm64", "index"]);
  const refs = JSON.parse(Deno.readTextFileSync(project.path(".images/oci/index.json"))).manifests;
  assertEquals(refs.length, 1);
  assertEquals(refs[0].digest, images[2]?.digest);
  assert(images[0]?.key !== images[1]?.key);
});

Deno.test("an expectation that is not met leaves no record and names what is there instead", async () => {
  await using project = await siteProject();
  project.define(
    SITE.replace(
      "cmd:",
      'expect: { files: ["/srv/missing.html"], absent: ["/srv/style.css"], maxLayers: 1 }, cmd:',
    ),
  );
  const document = await project.json(["build", "site"], 1);
  const { error, status } = imageOf(document, "site");
  assertEquals(status, "failed");
  assertStringIncludes(
    error?.message ?? "",
    "/srv/missing.html is missing (/srv holds index.html, style.css)",
  );
  assertStringIncludes(error?.message ?? "", "/srv/style.css is there");
  assertEquals(imageOf(await project.json(["plan"]), "site").verdict, "build");
});

Deno.test("a layer that finds nothing says what to correct", async () => {
  await using project = await siteProject();
  Deno.symlinkSync("site", project.path("current"));
  const next = async (from: string) => {
    project.define(SITE.replace('from: "site"', `from: "${from}"`));
    const { error } = imageOf(await project.json(["build", "site"], 1), "site");
    assertEquals(error?.message, `There is nothing at "${from}"`);
    return error?.next;
  };
  assertEquals(await next("sites"), "correct `from`, or add the task that makes it to `needs`");
  assertEquals(
    await next("current/index.html"),
    '"current" is a symbolic link, which is not followed: let `from` name what it leads to',
  );
});

Deno.test("a forced build writes a damaged layer anew", async () => {
  await using project = await siteProject();
  await project.json(["build"]);
  const folder = project.path(".images/oci/blobs/sha256");
  const layers = [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`)
    .filter((path) => !Deno.readTextFileSync(path).startsWith("{"));
  assertEquals(layers.length, 2);
  const whole = layers.map((path) => Deno.readFileSync(path));
  for (const [at, path] of layers.entries()) {
    Deno.writeFileSync(path, whole[at]!.with(600, whole[at]![600]! ^ 1));
  }
  await project.json(["build", "--force"]);
  assertEquals(layers.map((path) => Deno.readFileSync(path)), whole);
});
