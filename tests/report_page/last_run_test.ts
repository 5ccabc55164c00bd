import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RunRecord } from "../../lib/report/last_run.ts";
import { escapeText } from "../../lib/report/page/html.ts";
import { TestProject } from "../support/project.ts";

const FAILING = `{
  tasks: {
    noise: task({ inputs: [], outputs: ["out/**"], run: ["sh", "-c", "echo working; mkdir out; echo x > out/x"] }),
  },
  images: {
    good: files({ needs: ["noise"], layers: [{ from: "out", to: "/" }] }),
    bad: files({ layers: [{ from: "missing", to: "/" }] }),
  },
}`;

async function project(): Promise<TestProject> {
  const project = await TestProject.resident({ "site/a": "a" });
  project.define(`{ images: { site: files({ layers: [{ from: "site", to: "/" }] }) } }`);
  return project;
}

function lastRun(project: TestProject): RunRecord {
  return JSON.parse(Deno.readTextFileSync(project.path(".images/last-run.json")));
}

Deno.test("a run that did nothing leaves the record of the last one that did", async () => {
  await using it = await project();
  await it.statuses();
  const first = lastRun(it);
  assertEquals(first.document.command, "build");
  assertEquals(first.spans.map(({ id, phase }) => [id, phase]), [["site", "building"]]);
  await it.statuses();
  assertEquals((await it.images("plan", "--pull")).code, 0);
  assertEquals(lastRun(it), first);
  it.write({ "site/a": "other" });
  await it.statuses();
  assert(lastRun(it).at >= first.at);
  assertEquals(lastRun(it).document.images[0]?.reasons, [{
    kind: "input-changed",
    path: "site/a",
  }]);
});

Deno.test("a run that failed is kept with what failed, and what it printed", async () => {
  await using it = await TestProject.resident();
  it.define(FAILING);
  assertEquals((await it.images("build", "--keep-going")).code, 1);
  const record = lastRun(it);
  assertEquals(record.status, 1);
  const bad = record.document.images.find(({ name }) => name === "bad");
  assertEquals(bad?.status, "failed");
  for (const { from, to } of record.spans) assert(0 <= from && from <= to);
  const { code, stdout } = await it.images("report");
  assertEquals([code, stdout], [0, `${it.path(".images/report.html")}\n`]);
  const page = Deno.readTextFileSync(it.path(".images/report.html"));
  assertStringIncludes(page, escapeText(bad?.error?.message ?? "no message"));
  assertStringIncludes(page, '<span class="line">working\n</span>');
});

Deno.test("report says what to do where no run is kept, and writes where it is told to", async () => {
  await using it = await project();
  const none = await it.images("report");
  assertEquals(none.code, 2);
  assertStringIncludes(none.stderr, "next: run `images build` or `images push` first");
  await it.statuses();
  const told = await it.images("report", "--to", "page.html", "--json");
  const { path, run } = JSON.parse(told.stdout);
  assertEquals(path, it.path("page.html"));
  assertEquals(run, lastRun(it));
  assertStringIncludes(Deno.readTextFileSync(path), "<title>project: images build</title>");
  Deno.symlinkSync("page.html", it.path("link.html"));
  Deno.writeTextFileSync(path, "old");
  assertEquals((await it.images("report", "--to", "link.html")).code, 0);
  assertStringIncludes(Deno.readTextFileSync(path), "<title>project: images build</title>");
  assertEquals(Deno.readLinkSync(it.path("link.html")), "page.html");
});

Deno.test("report --open hands the page to the program for it", async () => {
  await using it = await project();
  it.fakeTool("xdg-open", `touch "${it.beside("opened")}"`);
  await it.statuses();
  const watcher = Deno.watchFs(it.beside("."));
  const { code } = await it.images("report", "--open");
  assertEquals(code, 0);
  for await (const { paths } of watcher) {
    if (paths.some((path) => path.endsWith("/opened"))) break;
  }
  assertEquals(it.starts("xdg-open"), [it.path(".images/report.html")]);
});
