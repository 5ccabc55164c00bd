import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { taskOf, TestProject } from "../support/project.ts";

/** A task function with a body, and an image of what it makes. */
function define(project: TestProject, body: string, options = ""): void {
  project.define(`{
    tasks: { gen: task({ inputs: ["src/**"], outputs: ["dist/**"], ${options}
      run: async ({ $, signal }) => { void signal; ${body} } }) },
    images: { app: files({ needs: ["gen"], layers: [{ from: "dist", to: "/app" }] }) },
  }`);
}

/** Processes with a word among their arguments. */
async function processesWith(word: string): Promise<string> {
  const { stdout } = await new Deno.Command("pgrep", { args: ["-f", `^sleep ${word}`] }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("a task function works in its folder, and what its commands print is in its log", async () => {
  await using project = await TestProject.resident({ "src/a": "a\n", "src/deep/b": "b\n" });
  define(
    project,
    "await $`pwd; echo loud >&2; cat b`; await $`mkdir -p ../../dist && cp b ../../dist/b`;" +
      "Deno.writeTextFileSync('dist/quiet', await $`echo kept apart`.text());",
    'cwd: "src/deep",',
  );
  const { code, stderr } = await project.images("build");
  assertEquals(code, 0, stderr);
  assert(!stderr.includes("loud"), stderr);
  const log = Deno.readTextFileSync(project.path(".images/logs/gen.log"));
  assertEquals(log.split("\n").slice(-4), [project.path("src/deep"), "loud", "b", ""]);
  assertEquals(Deno.readTextFileSync(project.path("dist/quiet")), "kept apart");
});

Deno.test("output of a task function that fails is shown, and its log is named", async () => {
  await using project = await TestProject.resident({ "src/a": "" });
  define(project, "await $`echo what went wrong; exit 4`;");
  const { code, stderr } = await project.images("build", "--all");
  assertEquals(code, 1);
  assertMatch(stderr, /^gen {2}what went wrong$/m);
  assertStringIncludes(stderr, ".images/logs/gen.log");
});

Deno.test("Ctrl-C ends all that a task function started", async () => {
  await using project = await TestProject.resident({ "src/a": "" });
  const mark = `32${Deno.pid}`;
  // One child is waited for, one is left running, and one has a session of its own.
  define(
    project,
    `const left = $\`sh -c \${"exec sleep ${mark}1"}\`.spawn(); left.catch(() => {});
     await $\`sh -c \${"setsid sleep ${mark}2 & echo ready; exec sleep ${mark}3"}\`;`,
  );
  const child = project.spawn("build", "-v", "--output", "plain");
  const output = child.stderr.pipeThrough(new TextDecoderStream());
  let said = "";
  let sent = false;
  for await (const text of output) {
    said += text;
    if (sent || !/^gen +ready$/m.test(said)) continue;
    sent = true;
    while (!/^\d+\n\d+\n\d+\n$/.test(await processesWith(mark)));
    child.kill("SIGINT");
  }
  await child.stdout.cancel();
  assertEquals((await child.status).code, 130, said);
  assertEquals(await processesWith(mark), "");
  const document = await project.json(["plan"]);
  assertEquals(document.images[0]?.verdict, "build");
});

Deno.test("a task function is told when its time is over, and nothing of it goes on", async () => {
  await using project = await TestProject.resident({ "src/a": "" });
  const mark = `33${Deno.pid}`;
  define(
    project,
    `signal.addEventListener("abort", () => Deno.writeTextFileSync("told", ""));
     await $\`sh -c \${"exec sleep ${mark}"}\`;`,
    "timeout: 5,",
  );
  const document = await project.json(["build", "--all"], 1);
  const { status, error } = taskOf(document, "gen");
  assertEquals(status, "failed");
  assertMatch(error?.message ?? "", /5 s/);
  assertEquals(await processesWith(mark), "");
  assert(Deno.statSync(project.path("told")).isFile);
});

Deno.test("images.ts branches on the environment, imports modules, and makes its table in a loop", async () => {
  await using project = await TestProject.resident({
    "services/api/a": "1\n",
    "services/web/a": "1\n",
    "docs/a": "1\n",
    "services.ts": 'export const SERVICES = ["api", "web"] as const;\n',
    "images.ts": `import { define, each } from "images";
import { files } from "images/plugins";
import { SERVICES } from "./services.ts";

const docs = Deno.env.get("WITH_DOCS") === "1"
  ? { docs: files({ layers: [{ from: "docs", to: "/" }] }) }
  : {};

export default define({
  images: {
    ...each(SERVICES, (name) => files({ layers: [{ from: \`services/\${name}\`, to: "/" }] })),
    ...docs,
  },
});
`,
  });
  assertEquals(await project.statuses(), { api: "built", web: "built" });
  project.env.WITH_DOCS = "1";
  assertEquals(await project.statuses(), { api: "cached", web: "cached", docs: "built" });
  project.write({
    "services.ts": 'export const SERVICES = ["api", "web", "worker"] as const;\n',
    "services/worker/a": "1\n",
  });
  assertEquals(await project.statuses("worker", "api"), { worker: "built", api: "cached" });
});

Deno.test("a task function is given dax's $ and counts by its source", async () => {
  await using project = await TestProject.resident({ "src/a": "a\n" });
  const say = (word: string) =>
    define(
      project,
      `await $\`mkdir -p dist\`; await $\`echo ${word}\`;
       Deno.writeTextFileSync("dist/x", await $\`cat src/a\`.text());`,
    );
  say("first");
  const { stderr } = await project.images("build", "-v");
  assertStringIncludes(stderr, "first");
  say("second");
  const again = await project.json(["build"]);
  assertEquals(taskOf(again, "gen").status, "built");
  assertEquals(taskOf(again, "gen").reasons.map(({ kind, path }) => [kind, path]), [[
    "option-changed",
    "run",
  ]]);
});
