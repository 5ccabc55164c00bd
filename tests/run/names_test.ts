/** Names in the layout, after something else has changed them. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { exists } from "../../lib/store/state.ts";
import { imageOf } from "../support/project.ts";
import { SITE, siteProject } from "./projects.ts";

/** What may become of an `index.json`. */
const DAMAGE: Readonly<Record<string, (text: string) => string | undefined>> = {
  "names are removed": (text) => JSON.stringify({ ...JSON.parse(text), manifests: [] }),
  "a name is moved": (text) => {
    const { manifests: [first, second, third] } = JSON.parse(text);
    const moved = { ...second, digest: third.digest, size: third.size };
    return JSON.stringify({ schemaVersion: 2, manifests: [first, moved, third] });
  },
  "it is missing": () => undefined,
  "it is no JSON": (text) => text.slice(0, 20),
};

Deno.test("a run that builds nothing sets right what names stand for", async (t) => {
  await using project = await siteProject();
  const twice = `platforms: ["linux/amd64", "linux/arm64"]`;
  project.define(SITE.replace(
    "images: {",
    `images: {
    both: files({ ${twice}, layers: [{ from: "other", to: "/both" }] }),`,
  ));
  await project.json(["build"]);
  const path = project.path(".images/oci/index.json");
  const text = Deno.readTextFileSync(path);
  const damage = (change: (text: string) => string | undefined) => {
    const changed = change(text);
    if (changed === undefined) Deno.removeSync(path);
    else Deno.writeTextFileSync(path, changed);
  };
  for (const [what, change] of Object.entries(DAMAGE)) {
    await t.step(what, async () => {
      damage(change);
      assertEquals((await project.json(["build"])).totals, { cached: 5 });
      assertEquals(JSON.parse(Deno.readTextFileSync(path)), JSON.parse(text));
    });
  }
  await t.step("of images that were not asked for too, where all names are lost", async () => {
    damage(() => "null");
    project.write({ "site/index.html": "new\n" });
    assertEquals(await project.statuses("site"), { site: "built" });
    const names = JSON.parse(Deno.readTextFileSync(path)).manifests
      .map((each: { digest: string }) => each.digest);
    const [both, other] = JSON.parse(text).manifests;
    assertEquals(names.length, 3);
    assertEquals(names.slice(0, 2), [both.digest, other.digest]);
  });
  await t.step("but a plan changes nothing", async () => {
    Deno.removeSync(path);
    await project.json(["plan"]);
    assert(!exists(path));
  });
});

Deno.test("what needs one platform of an image leaves its index as it is", async () => {
  await using project = await siteProject();
  project.define(`{ images: {
    base: files({ platforms: ["linux/amd64", "linux/arm64"], layers: [{ from: "site", to: "/" }] }),
    leaf: files({ platforms: ["linux/arm64"], base: { image: "base" }, layers: [] }),
  } }`);
  await project.json(["build"]);
  const path = project.path(".images/oci/index.json");
  const text = Deno.readTextFileSync(path);
  const { images } = await project.json(["build", "leaf"]);
  assertEquals(images.map(({ platform }) => platform), ["linux/arm64", "linux/arm64"]);
  assertEquals(Deno.readTextFileSync(path), text);
});

Deno.test("a run for one platform leaves an image its index over all that are here", async () => {
  await using project = await siteProject();
  project.define(SITE.replace("cmd:", 'platforms: ["linux/amd64", "linux/arm64"], cmd:'));
  const path = project.path(".images/oci/index.json");
  const top = () => JSON.parse(Deno.readTextFileSync(path)).manifests.at(-1).digest;
  const alone = imageOf(await project.json(["build", "site", "--platform", "linux/arm64"]), "site");
  assertEquals(top(), alone.digest);
  const whole = await project.json(["build", "site"]);
  assertEquals(top(), whole.images.find(({ platform }) => platform === "index")?.digest);
  project.write({ "site/index.html": "new\n" });
  await project.json(["build", "site", "--platform", "linux/amd64"]);
  const joined = top();
  await project.json(["build", "site", "--platform", "linux/arm64"]);
  const all = await project.json(["build", "site"]);
  assertEquals(all.totals, { cached: 3 });
  assertEquals(top(), all.images.find(({ platform }) => platform === "index")?.digest);
  assertNotEquals(joined, top());
  const other = imageOf(await project.json(["build", "site", "--platform", "linux/s390x"]), "site");
  assertEquals(top(), other.digest);
});

Deno.test("the index over platforms that failed says why", async () => {
  await using project = await siteProject();
  project.define(`{ images: {
    a: files({ platforms: ["linux/amd64", "linux/arm64"], layers: [{ from: "no", to: "/" }] }),
  } }`);
  const { images } = await project.json(["build", "--keep-going"], 1);
  const index = images.find(({ platform }) => platform === "index");
  assertEquals(index?.status, "failed");
  assertEquals(index?.error?.message, 'There is nothing at "no"');
});
