/** How long builds take, may take, and are let to. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { timeLimit } from "../../lib/run/build_context.ts";
import { taskOf, TestProject } from "../support/project.ts";

Deno.test("an image's time is that of its own turn", async () => {
  const names = Array.from({ length: 40 }, (_, at) => `i${at}`);
  await using project = await TestProject.resident({ "docs/a": "a\n" });
  project.define(`{ images: {
    ...each(${
    JSON.stringify(names)
  }, (name) => files({ layers: [{ from: "docs", to: "/" + name }] })),
  } }`);
  const { images, ms } = await project.json(["build", "--jobs", "1"]);
  const sum = (times: readonly number[]) => times.reduce((total, time) => total + time, 0);
  const rounding = names.length;
  assert(sum(images.map((image) => image.ms)) <= ms + rounding);
  const records = Deno.readDirSync(project.path(".images/records/images"));
  const recorded = [...records].map(({ name }) =>
    JSON.parse(Deno.readTextFileSync(project.path(`.images/records/images/${name}`))).ms
  );
  assertEquals(recorded.length, names.length);
  assert(sum(recorded) <= ms + rounding);
});

Deno.test("a task that takes too long is ended and has failed", async () => {
  await using project = await TestProject.resident();
  project.define(`{
    tasks: { slow: task({ outputs: ["dist/**"], timeout: 0.2, run: ["sleep", "60"] }) },
    images: { app: files({ needs: ["slow"], layers: [{ from: "dist", to: "/" }] }) },
  }`);
  const { error, status } = taskOf(await project.json(["build"], 1), "slow");
  assertEquals(status, "failed");
  assertStringIncludes(error?.message ?? "", "timeout");
});

Deno.test("timeLimit() does not count the time before its begin", async () => {
  const limit = timeLimit(new AbortController().signal, 0, "app");
  const ended = new Promise((resolve) => limit.signal.addEventListener("abort", resolve));
  const { promise, resolve } = Promise.withResolvers<void>();
  // Each is a turn of the event loop, in which a timer of 0 s would have its turn too.
  const turns = (left: number) => left === 0 ? resolve() : setImmediate(() => turns(left - 1));
  turns(100);
  await promise;
  assert(!limit.signal.aborted);
  limit.begin();
  await ended;
  limit.clear();
});

Deno.test("an interrupt ends the whole process tree with status 130", async () => {
  await using project = await TestProject.resident();
  const marker = `31${Deno.pid}`;
  project.define(`{
    tasks: { slow: task({ outputs: ["dist/**"], run: ["sh", "-c", "echo started > started; sleep ${marker} & sleep ${marker}; wait"] }) },
    images: { app: files({ needs: ["slow"], layers: [{ from: "dist", to: "/" }] }) },
  }`);
  const child = project.spawn("build");
  await fileAppears(project.path("started"));
  child.kill("SIGINT");
  const { code } = await child.output();
  assertEquals(code, 130);
  const left = await new Deno.Command("pgrep", { args: ["-f", `^sleep ${marker}`] }).output();
  assertEquals(new TextDecoder().decode(left.stdout), "");
});

async function fileAppears(path: string): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const watcher = Deno.watchFs(folder);
  try {
    if (exists(path)) return;
    for await (const _ of watcher) if (exists(path)) return;
  } finally {
    try {
      watcher.close();
    } catch {
      // The loop's end closed it.
    }
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
