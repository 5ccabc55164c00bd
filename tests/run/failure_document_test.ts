/** What whoever reads documents gets where a command ends before it has one. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { ResultDocument } from "../../lib/model/result.ts";
import { siteProject } from "./projects.ts";
import { TestProject } from "../support/project.ts";

/** The document of a failure. */
type Failure = ResultDocument & {
  readonly error: { message: string; where?: string; next?: string };
};

async function failure(project: TestProject, code: number, ...args: string[]): Promise<Failure> {
  const outcome = await project.images(...args, "--json");
  assertEquals(outcome.code, code, outcome.stderr);
  const { ms, error, ...document } = JSON.parse(outcome.stdout) as Failure;
  assertEquals(typeof ms, "number");
  assertEquals(
    document as unknown,
    { schema: 1, command: args[0], ok: false, images: [], tasks: [], totals: {} },
  );
  assertStringIncludes(outcome.stderr, error.message);
  return { ...document, ms, error };
}

Deno.test("a command that ends before it has a result prints why as its document", async () => {
  await using project = await siteProject();
  const unknown = await failure(project, 2, "build", "sit");
  assertStringIncludes(unknown.error.next ?? "", "site");
  await failure(project, 2, "report");
  await failure(project, 2, "build", "--no-such-option");
  assertEquals((await project.images("build", "sit", "--", "--json")).stdout, "");
  project.define("{ images: { site: files({ lay: [] } as never) } }");
  const { error } = await failure(project, 2, "list");
  assertMatch(error.where ?? "", /^images\.ts:\d+:\d+$/);
});

Deno.test("a document is not mixed with what is written to the same place", async () => {
  await using project = await siteProject();
  // Standard output is a pipe here, which nothing can take the place of.
  const { error } = await failure(
    project,
    2,
    "export",
    "site",
    "--to",
    "oci-archive:/proc/self/fd/1",
  );
  assertEquals(error.next, "write to a file, or leave --json out");
});

Deno.test("words behind -- are targets, and options there are refused", async () => {
  await using project = await TestProject.resident({ "site/a": "" });
  project.define(`{ images: {
    site: files({ layers: [{ from: "site", to: "/" }] }),
    other: files({ layers: [{ from: "site", to: "/other" }] }),
  } }`);
  const { code, stdout } = await project.images("build", "--json", "--", "site");
  const { images } = JSON.parse(stdout) as ResultDocument;
  assertEquals([code, images.map(({ name }) => name)], [0, ["site"]]);
  const refused = await project.images("push", "--", "--all");
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "put options in front of `--`");
});
