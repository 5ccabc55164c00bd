import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Fault } from "../../lib/model/errors.ts";
import { isCacheTag } from "../../lib/model/key.ts";
import { isTag } from "../../lib/model/reference.ts";
import { checkTags, fillInTags, hasPlaceholder } from "../../lib/registry/publish/tags.ts";

const FACTS = { revision: "0123abcd", branch: "feature/new login", tag: "v1.0+build" };

Deno.test("fillInTags() makes what git and CI say into tags", () => {
  const tags = ["latest", "{revision}", "{branch}", "{git-tag}", "x-{branch}-{revision}", "latest"];
  assertEquals(fillInTags(tags, FACTS), [
    "latest",
    "0123abcd",
    "feature-new-login",
    "v1.0-build",
    "x-feature-new-login-0123abcd",
  ]);
});

Deno.test("fillInTags() leaves out what is not known or comes out empty", () => {
  assertEquals(fillInTags(["a-{git-tag}", "{branch}", "b"], { branch: "---" }), ["b"]);
  assertEquals(fillInTags(["{revision}"], {}), []);
});

Deno.test("fillInTags() refuses a branch that is called as the cache's tags are", () => {
  assertThrows(() => fillInTags(["{branch}"], { branch: "content-00" }), Fault, "comes out as");
  assertThrows(() => fillInTags(["{branch}"], { branch: "-content-00" }), Fault, "comes out as");
});

Deno.test("whatever a branch is called, what comes out is a tag or nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (branch, tag) => {
      try {
        const filled = fillInTags(["{branch}", "{git-tag}", "p-{branch}"], { branch, tag });
        assert(filled.every((each) => isTag(each) && !isCacheTag(each)), String(filled));
      } catch (error) {
        assert(error instanceof Fault);
      }
    }),
    { examples: [["content-x", ""], ["ü".repeat(300), "a".repeat(300)], [".", "-"]] },
  );
});

Deno.test("checkTags() takes what can be a mutable tag", () => {
  checkTags(["latest", "v1.0", "_x"]);
  for (const tag of ["", "a b", "-x", "content-1", "{branch}", "a".repeat(129)]) {
    assertThrows(() => checkTags([tag]), Fault, "cannot be a mutable tag");
  }
  assertEquals(["a-{branch}", "{revision}", "{other}", "x"].map(hasPlaceholder), [
    true,
    true,
    false,
    false,
  ]);
});
