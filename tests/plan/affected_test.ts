import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { loadProject } from "../../lib/dsl/load.ts";
import type { Project } from "../../lib/model/recipe.ts";
import { affectedBy } from "../../lib/plan/affected.ts";
import { changesSince } from "../../lib/plan/changes.ts";
import { Runner } from "../../lib/run/runner.ts";
import { Session } from "../../lib/run/session.ts";
import type { ImageResult } from "../../lib/model/result.ts";
import { TestProject } from "../support/project.ts";
import { commitAll } from "../support/real/fixture.ts";
import { runTool } from "../support/real/program.ts";
import { full, toolTest } from "../support/tools.ts";

const FILES = {
  "site/index.html": "<h1>hello</h1>\n",
  "site/draft.md": "draft\n",
  "shared/style.css": "h1 { color: red }\n",
  "src/main.ts": "export {};\n",
  "api/Dockerfile": "FROM scratch\nCOPY code /code\nCOPY *.conf /etc/\n",
  "api/.dockerignore": "**/*.log\n",
  "api/code/a.txt": "a\n",
  "api/code/a.log": "log\n",
  "api/notes.txt": "not copied\n",
  "based/Dockerfile": "FROM scratch\nCOPY . /\n",
  "lib/table.ts": "export const port = 80;\n",
  ".gitignore": ".images\ndist\n",
};

const DEFINITION = `{
  tasks: {
    bundle: task({ inputs: ["src/**"], outputs: ["dist/**"], run: ["true"] }),
    deploy: task({ inputs: ["ops/**"], run: ["true"] }),
  },
  images: {
    site: files({ layers: [{ from: "site", to: "/srv" }], inputs: ["shared/*.css", "!**/*.md"] }),
    app: files({ layers: [{ from: "dist", to: "/app" }], needs: ["bundle"] }),
    api: dockerfile({ context: "api" }),
    based: dockerfile({ context: "based", contexts: { site: { image: "site" } } }),
    pinned: files({ base: "docker.io/library/base:1", layers: [] }),
  },
}`;

async function committedProject(): Promise<TestProject> {
  const project = await TestProject.resident(FILES);
  project.define(DEFINITION);
  const path = project.path("images.ts");
  Deno.writeTextFileSync(path, `import "./lib/table.ts";\n${Deno.readTextFileSync(path)}`);
  await commitAll(project.root);
  return project;
}

async function git(project: TestProject, ...args: readonly string[]): Promise<string> {
  const identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
  return (await runTool(["git", "-C", project.root, ...identity, ...args])).stdout.trim();
}

function open(loaded: Project): Session {
  const settings = { jobs: 1, keepGoing: true, force: false, args: {}, overrides: {} };
  return new Session(
    loaded,
    { targets: [], all: true },
    { ...settings, remote: false, pull: false },
    () => {},
    new AbortController().signal,
  );
}

/** Names that what differs from a commit can touch. */
async function affected(loaded: Project, ref: string): Promise<string[]> {
  const changes = await changesSince(loaded.root, ref);
  assert(changes.known);
  const found = await affectedBy(open(loaded).circumstances, changes.paths);
  return found.map(({ node }) => node.id);
}

const ALL = ["bundle", "deploy", "site", "app", "api", "based", "pinned"];

toolTest(["git"], "affectedBy() names what a change can touch, and what needs that", async (t) => {
  await using project = await committedProject();
  const loaded = await loadProject(project.path("images.ts"));
  assertEquals(loaded.modules.length, 2);
  const cases: [string, () => void, string[]][] = [
    ["nothing", () => {}, []],
    ["a touched file", () => Deno.utimeSync(project.path("site/index.html"), 2e9, 2e9), []],
    ["an input, and a need by option", () => project.write({ "site/index.html": "x" }), [
      "site",
      "based",
    ]],
    ["extra inputs", () => project.write({ "shared/style.css": "x" }), ["site", "based"]],
    ["an executable bit", () => Deno.chmodSync(project.path("site/index.html"), 0o755), [
      "site",
      "based",
    ]],
    ["an untracked file", () => project.write({ "api/new.conf": "x" }), ["api"]],
    ["a file that becomes a link", () => {
      Deno.removeSync(project.path("api/code/a.txt"));
      Deno.symlinkSync("../notes.txt", project.path("api/code/a.txt"));
    }, ["api"]],
    ["a deleted file", () => Deno.removeSync(project.path("api/code/a.txt")), ["api"]],
    ["a file that no COPY names", () => project.write({ "api/notes.txt": "x" }), []],
    ["a file that .dockerignore hides", () => project.write({ "api/code/a.log": "x" }), []],
    ["a folder that only holds what is hidden", () => {
      project.write({ "api/code/new/a.log": "x", "site/new/draft.md": "x" });
    }, ["site", "api", "based"]],
    [".dockerignore", () => Deno.removeSync(project.path("api/.dockerignore")), ["api"]],
    ["a Dockerfile", () => project.write({ "api/Dockerfile": "FROM scratch\n" }), ["api"]],
    ["a task's input", () => project.write({ "src/other.ts": "" }), ["bundle", "app"]],
    ["an input of a task nobody needs", () => project.write({ "ops/x": "" }), ["deploy"]],
    ["an ignored output", () => project.write({ "dist/main.js": "" }), []],
    ["pins", () => project.write({ "images.lock": '{"schema":1,"bases":{}}' }), ["pinned"]],
    ["a module of images.ts", () => project.write({ "lib/table.ts": "" }), ALL],
    ["images.ts", () => project.define(DEFINITION), ALL],
    ["what images.ts is run with", () => project.write({ "deno.json": "{}" }), ALL],
  ];
  for (const [name, change, expected] of cases) {
    await t.step(name, async () => {
      change();
      assertEquals(await affected(loaded, "HEAD"), expected);
      await git(project, "reset", "-q", "--hard");
      await git(project, "clean", "-fdxq");
    });
  }
});

toolTest(["git"], "affectedBy() sees what is reached through links", async (t) => {
  await using project = await TestProject.resident({
    "real/Dockerfile": "FROM scratch\nCOPY */f conf.d/* /f/\n",
    "real/ignore": "x\n",
    "context/a/f": "f",
    "context/conf.d/own": "o",
    "src/a": "a",
    "other/a": "a",
    "lib/table.ts": "",
    "shared/pins.json": '{"schema":1,"bases":{}}',
    ".gitignore": ".images\n",
    "notes.md": "",
  });
  const links = {
    "context/Dockerfile": "../chain",
    "chain": "real/Dockerfile",
    "context/.dockerignore": `${project.root}/real/ignore`,
    "by-link": "context",
    "inputs": "middle",
    "middle": "src",
    "table.ts": "lib/table.ts",
    "images.lock": "shared/pins.json",
  };
  for (const [path, target] of Object.entries(links)) Deno.symlinkSync(target, project.path(path));
  project.define(`{
    tasks: { pack: task({ inputs: ["inputs/*"], run: ["true"] }) },
    images: {
      app: dockerfile({ context: "by-link" }),
      more: files({ layers: [], inputs: ["inputs/a"] }),
      pinned: files({ base: "docker.io/library/base:1", layers: [] }),
    },
  }`);
  const path = project.path("images.ts");
  Deno.writeTextFileSync(path, `import "./table.ts";\n${Deno.readTextFileSync(path)}`);
  await commitAll(project.root);
  const loaded = await loadProject(path);
  const retarget = (link: string, target: string) => {
    Deno.removeSync(project.path(link));
    Deno.symlinkSync(target, project.path(link));
  };
  const all = ["pack", "app", "more", "pinned"];
  const cases: [string, () => void, string[]][] = [
    ["a Dockerfile", () => project.write({ "real/Dockerfile": "FROM scratch\n" }), ["app"]],
    [".dockerignore", () => project.write({ "real/ignore": "y\n" }), ["app"]],
    ["a link of a chain", () => retarget("chain", "notes.md"), ["app"]],
    ["a link to a context", () => retarget("by-link", "other"), ["app"]],
    ["a file of such a context", () => project.write({ "context/a/f": "x" }), ["app"]],
    ["a link that a pattern matches", () => {
      Deno.symlinkSync("/a", project.path("context/b"));
    }, ["app"]],
    ["inputs", () => project.write({ "src/a": "x" }), ["pack", "more"]],
    ["a link on the way of inputs", () => retarget("middle", "other"), ["pack", "more"]],
    ["pins", () => project.write({ "shared/pins.json": "{}" }), ["pinned"]],
    ["a module", () => project.write({ "lib/table.ts": "void 0;\n" }), all],
    ["nothing of these", () => project.write({ "notes.md": "x", "other/a": "x" }), []],
  ];
  for (const [name, change, expected] of cases) {
    await t.step(name, async () => {
      const { circumstances } = open(loaded);
      change();
      const changes = await changesSince(project.root, "HEAD");
      assert(changes.known);
      const found = await affectedBy(circumstances, changes.paths);
      assertEquals(found.map(({ node }) => node.id), expected);
      await git(project, "reset", "-q", "--hard");
      await git(project, "clean", "-fdxq");
    });
  }
});

toolTest(["git"], "affected compares commits, in a folder below the checkout too", async () => {
  await using project = await committedProject();
  project.write({ "api/code/b.txt": "b" });
  await git(project, "add", "-A");
  await git(project, "commit", "-q", "-m", "second");
  project.write({ "site/index.html": "y" });
  const { stdout } = await project.images("affected", "--since", "HEAD~1", "--json");
  const document = JSON.parse(stdout);
  assertEquals(document.commit, await git(project, "rev-parse", "HEAD~1"));
  assertEquals(document.changed, ["api/code/b.txt", "site/index.html"]);
  const reasons = document.images.map((image: ImageResult) => [image.name, image.reasons]);
  assertEquals(reasons, [
    ["site", [{ kind: "input-changed", path: "site/index.html" }]],
    ["api", [{ kind: "input-changed", path: "api/code/b.txt" }]],
    ["based", [{ kind: "need-changed", path: "site" }]],
  ]);

  project.write({
    "sub/images.ts": `import { define } from "images";
import { files } from "images/plugins";
export default define({ images: {
  own: files({ layers: [{ from: "own", to: "/" }] }),
  outside: files({ layers: [], inputs: ["here/**"] }),
} });`,
  });
  await git(project, "add", "-A");
  await git(project, "commit", "-q", "-m", "third");
  project.write({ "sub/own/a": "a", "here/a": "a" });
  const below = await project.images("affected", "--since", "HEAD", "--file", "sub/images.ts");
  assertEquals([below.stdout, below.stderr], ["own\n", ""]);
});

toolTest(
  ["git"],
  "affected takes everything for touched where the commit cannot be known",
  async (t) => {
    await using project = await committedProject();
    project.write({ "api/code/b.txt": "b" });
    await git(project, "add", "-A");
    await git(project, "commit", "-q", "-m", "second");
    await t.step("a zero commit", async () => {
      const zeros = "0".repeat(40);
      const { stdout, stderr, code } = await project.images("affected", "--since", zeros);
      assertEquals([code, stdout], [0, `${ALL.join("\n")}\n`]);
      assertStringIncludes(stderr, "all zeros");
    });
    await t.step("a commit that was pushed away", async () => {
      const { stdout, stderr } = await project.images("affected", "--since", "1".repeat(40));
      assertEquals(stdout, `${ALL.join("\n")}\n`);
      assertStringIncludes(stderr, "forced push");
    });
    await t.step("a shallow clone that cannot fetch", async () => {
      await using clone = await TestProject.resident();
      await runTool(["git", "clone", "-q", "--depth=1", `file://${project.root}`, clone.path("c")]);
      await runTool(["git", "-C", clone.path("c"), "remote", "set-url", "origin", "/nowhere"]);
      const args = ["affected", "--since", "HEAD~1", "--file", "c/images.ts"];
      const { stdout, stderr, code } = await clone.images(...args);
      assertEquals([code, stdout], [0, `${ALL.join("\n")}\n`]);
      assertStringIncludes(stderr, "shallow");
    });
    await t.step("but a shallow clone that can fetch tells", async () => {
      await git(project, "branch", "before", "HEAD~1");
      await using clone = await TestProject.resident();
      await runTool(["git", "clone", "-q", "--depth=1", `file://${project.root}`, clone.path("c")]);
      const args = ["affected", "--since", "origin/before", "--file", "c/images.ts"];
      const { stdout, stderr } = await clone.images(...args);
      assertEquals([stdout, stderr], ["api\n", ""]);
      const refs = await runTool(["git", "-C", clone.path("c"), "for-each-ref", "refs/images"]);
      assertEquals(refs.stdout, "");
    });
  },
);

toolTest(["git"], "affected refuses what is no commit", async (t) => {
  await using project = await committedProject();
  const cases: [string, string][] = [
    ["mian", 'Git knows no commit "mian"\nnext: did you mean "main"?'],
    ["", `Missing value for option "--since"`],
  ];
  for (const [ref, expected] of cases) {
    await t.step(ref, async () => {
      const { code, stderr, stdout } = await project.images("affected", "--since", ref);
      assertEquals([code, stdout], [2, ""]);
      assertStringIncludes(stderr, expected);
    });
  }
  await t.step("outside a checkout", async () => {
    await using bare = await TestProject.resident();
    bare.define("{ images: {} }");
    const { code, stderr } = await bare.images("affected", "--since", "HEAD");
    assertEquals(code, 2);
    assertStringIncludes(stderr, "next: run it in a checkout");
  });
});

/** Image → key, as a plan finds it. */
async function keysOf(session: Session): Promise<Map<string, string | undefined>> {
  const settled = await new Runner(session, "plan").run();
  return new Map(settled.map(({ node, key }) => [node.id, key]));
}

Deno.test("affectedBy() names every image whose key a change has changed", async () => {
  await using project = await TestProject.resident(FILES);
  project.define(DEFINITION.replace(/ {4}pinned.*\n/, ""));
  const loaded = await loadProject(project.path("images.ts"));
  const names = ["a.txt", "a.log", "x.conf", "b.css", "draft.md", ".dockerignore", "main.ts"];
  const folders = ["site", "site/sub", "shared", "src", "api", "api/code", "based", "ops", "dist"];
  const change = fc.record({
    folder: fc.constantFrom(...folders),
    name: fc.constantFrom(...names),
    what: fc.constantFrom("write", "remove", "chmod"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const before = await keysOf(open(loaded));
      const paths: string[] = [];
      for (const { folder, name, what } of changes) {
        const path = `${folder}/${name}`;
        if (what === "write") project.write({ [path]: `${crypto.randomUUID()}\n` });
        else if (what === "remove") await Deno.remove(project.path(path)).catch(() => {});
        else await Deno.chmod(project.path(path), 0o755).catch(() => {});
        paths.push(path);
      }
      const session = open(loaded);
      const after = await keysOf(session);
      const found = new Set(
        (await affectedBy(session.circumstances, paths)).map(({ node }) => node.id),
      );
      for (const [id, key] of after) {
        if (key !== before.get(id)) assert(found.has(id), `${id} is missing for ${paths}`);
      }
    }),
    { numRuns: full ? 500 : 40, seed: 7 },
  );
});
