/** Files that git ignores and that enter a key: who is told, what, and when git is asked. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { TestProject } from "../support/project.ts";
import { commitAll } from "../support/real/fixture.ts";
import { toolTest } from "../support/tools.ts";

const FILES = {
  ".gitignore": "*.log\nnode_modules\nout\n",
  "app/Dockerfile": "FROM scratch\nCOPY . /app/\n",
  "app/main.js": "1\n",
  "app/node_modules/a/index.js": "a\n",
  "app/node_modules/b.js": "b\n",
  "lone/Dockerfile": "FROM scratch\nCOPY main.js /\n",
  "lone/main.js": "1\n",
  "lone/debug.log": "x\n",
  "conf/a.txt": "a\n",
  "conf/b.log": "b\n",
  "site/page": "p\n",
  "site/page.log": "l\n",
};

const BODY = `{
  tasks: { gen: task({ inputs: ["conf/a.txt"], outputs: ["out/**"],
    run: ["sh", "-c", "mkdir -p out; cp conf/a.txt out"] }) },
  images: {
    context: dockerfile({ context: "app" }),
    narrow: dockerfile({ context: "lone" }),
    inputs: dockerfile({ context: "lone", inputs: ["conf/**"] }),
    layers: files({ layers: [{ from: "site", to: "/" }] }),
    outputs: files({ needs: ["gen"], layers: [{ from: "out", to: "/" }] }),
  },
}`;

async function projectInGit(): Promise<TestProject> {
  const project = await TestProject.create(FILES, BODY);
  await commitAll(project.root);
  return project;
}

/** Lines that speak of what git ignores. */
function noticesIn({ stderr }: { readonly stderr: string }): string[] {
  return stderr.split("\n").filter((line) => line.includes("Git ignores"));
}

toolTest(["git"], "files that git ignores and a key holds are told of", async (t) => {
  await using project = await projectInGit();
  await t.step("by plan", async () => {
    assertEquals(noticesIn(await project.images("plan")).length, 3);
  });
  await t.step(
    "once for each image that is built, with the line that leaves them out",
    async () => {
      const { code, stderr } = await project.images("build");
      assertEquals(code, 0, stderr);
      const notices = noticesIn({ stderr });
      assertEquals(notices.length, 3, stderr);
      const [context, inputs, layers] = ["app/node_modules", "conf/b.log", "site/page.log"].map(
        (path) => notices.find((line) => line.includes(`Git ignores ${path}, `)) ?? "",
      );
      assertStringIncludes(context!, 'add "node_modules" to app/.dockerignore');
      assertStringIncludes(inputs!, 'add "!conf/b.log" to its inputs');
      assertStringIncludes(layers!, "name what is copied more narrowly");
    },
  );
  await t.step("not where all is up to date, for which git is not started", async () => {
    project.fakeTool("git", "exit 128");
    const { stderr } = await project.images("build");
    assertEquals([noticesIn({ stderr }), project.starts("git")], [[], []]);
    delete project.env.PATH;
  });
  await t.step("not once the line is there", async () => {
    project.write({ "app/.dockerignore": "node_modules\n" });
    const outcome = await project.images("build", "context", "--strict-inputs");
    assertEquals([outcome.code, noticesIn(outcome)], [0, []], outcome.stderr);
  });
  await t.step("not of what git tracks all the same", async () => {
    project.write({ "site/page.log": "tracked\n" });
    await new Deno.Command("git", { args: ["add", "-f", "site/page.log"], cwd: project.root })
      .output();
    const outcome = await project.images("build", "layers", "--strict-inputs");
    assertEquals([outcome.code, noticesIn(outcome)], [0, []], outcome.stderr);
  });
});

toolTest(["git"], "--strict-inputs refuses files that git ignores", async (t) => {
  await using project = await projectInGit();
  for (const verb of ["build", "plan"]) {
    await t.step(verb, async () => {
      const document = await project.json([verb, "context", "--strict-inputs"], 1);
      const error = document.images[0]!.error!;
      assertStringIncludes(error.message, "Git ignores app/node_modules, ");
      assertEquals(error.next, 'add "node_modules" to app/.dockerignore');
    });
  }
  await t.step("of an image that is up to date, too", async () => {
    assertEquals((await project.images("build", "layers")).code, 0);
    const { images } = await project.json(["build", "layers", "--strict-inputs"], 1);
    assertStringIncludes(images[0]!.error!.message, "Git ignores site/page.log, ");
  });
  await t.step("and lets others be built", async () => {
    assertEquals((await project.images("build", "narrow", "outputs", "--strict-inputs")).code, 0);
  });
});

toolTest(["git"], "files that git ignores are found wherever they are", async (t) => {
  const told = async (project: TestProject, name: string) =>
    (await project.json(["plan", name, "--strict-inputs"], 1)).images[0]!.error!;
  await t.step("in a context that is reached through a link", async () => {
    await using project = await projectInGit();
    Deno.symlinkSync("app", project.path("link"));
    project.define('{ images: { context: dockerfile({ context: "link" }) } }');
    const { message, next } = await told(project, "context");
    assertStringIncludes(message, "Git ignores link/node_modules, ");
    assertEquals(next, 'add "node_modules" to link/.dockerignore');
  });
  await t.step("in a repository below, by its own rules", async () => {
    await using project = await projectInGit();
    project.write({ "app/.gitignore": "main.*\n" });
    await new Deno.Command("git", { args: ["init", "-q"], cwd: project.path("app") }).output();
    const { message } = await told(project, "context");
    assertStringIncludes(message, "Git ignores app/main.js, which");
  });
  await t.step("in a folder that git ignores, where it tracks others", async () => {
    await using project = await projectInGit();
    const add = ["add", "-f", "app/node_modules/b.js"];
    await new Deno.Command("git", { args: add, cwd: project.root }).output();
    const { message, next } = await told(project, "context");
    assertStringIncludes(message, "Git ignores app/node_modules/a, ");
    assertEquals(next, 'add "node_modules/a" to app/.dockerignore');
  });
});

toolTest(["git"], "nothing is told of ignored files", async (t) => {
  await t.step("outside a repository", async () => {
    await using project = await TestProject.create(FILES, BODY);
    assertEquals(noticesIn(await project.images("build", "--strict-inputs")), []);
  });
  await t.step("in a project that its repository ignores as a whole", async () => {
    await using project = await TestProject.create(FILES, BODY);
    await commitAll(project.beside("").replace(/\/$/, ""));
    assertEquals(noticesIn(await project.images("plan")).length, 3);
    Deno.writeTextFileSync(project.beside(".gitignore"), "project\n");
    await new Deno.Command("git", {
      args: ["rm", "-r", "-q", "--cached", "project"],
      cwd: project.beside(""),
    }).output();
    assertEquals(noticesIn(await project.images("plan")), []);
  });
  await t.step("in a repository below, which has rules of its own", async () => {
    await using project = await TestProject.create(FILES, BODY);
    await commitAll(project.path("app"));
    await commitAll(project.root);
    assertEquals(noticesIn(await project.images("build", "context", "layers")).length, 1);
  });
});
