/** What becomes of files and runs where the system refuses to write. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { digestOfHex } from "../../lib/model/digest.ts";
import { asFault } from "../../lib/model/errors.ts";
import { MediaType } from "../../lib/model/oci.ts";
import { cachedListing } from "../../lib/oci/cached_listing.ts";
import { hashBytes } from "../../lib/oci/hash.ts";
import { writeContent } from "../../lib/util/write_all.ts";
import { TestProject } from "../support/project.ts";

Deno.test("the last bytes that find no room are a fault too", async () => {
  const content = [new Uint8Array(10)];
  const error = await assertRejects(() => writeContent("/dev/full", content, {}));
  const { message, next } = asFault(error, { where: "app" });
  assertEquals(message, "No space is left on the disk");
  assertStringIncludes(next ?? "", "images prune");
});

Deno.test("a layer is listed where its listing cannot be kept", async () => {
  const empty = new Uint8Array(1024);
  const digest = digestOfHex(await hashBytes(empty));
  const layer = {
    descriptor: { mediaType: MediaType.layer, digest, size: empty.length },
    diffId: digest,
    places: [],
    open: () => Promise.resolve(new Blob([empty]).stream()),
  };
  assertEquals((await cachedListing(layer, "/sys/images-test")).files, []);
});

Deno.test("where the state cannot be written, a plan tells all the same and a build says why not", async () => {
  await using project = await TestProject.create(
    { "site/a": "a" },
    `{ images: { site: files({ layers: [{ from: "site", to: "/" }] }) } }`,
  );
  project.env.IMAGES_STATE_DIR = "/sys/images-test";
  const plan = await project.images("plan", "--json");
  assertEquals(JSON.parse(plan.stdout).totals, { build: 1 });
  assertStringIncludes(plan.stderr, "What was read of files cannot be kept: ");
  assertEquals(plan.code, 0);
  const build = await project.images("build");
  assertEquals(build.code, 1);
  assertMatch(
    build.stderr,
    /^\/sys\/images-test\S*: (The file system is read-only|Operation not permitted|Permission denied)\nnext: /m,
  );
  assert(!build.stderr.includes("    at "));
  project.env.IMAGES_STATE_DIR = "site/a";
  const file = await project.images("build");
  assertEquals(file.code, 1);
  assertMatch(file.stderr, /\/site\/a\S*: There is .* where a folder .*\nnext: move away/);
});
