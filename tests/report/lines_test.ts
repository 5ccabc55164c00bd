import { assert, assertEquals, assertMatch } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import type { ImageResult, ResultDocument } from "../../lib/model/result.ts";
import { annotation } from "../../lib/report/github.ts";
import { stepSummary } from "../../lib/report/github_summary.ts";
import { GitlabDialect } from "../../lib/report/gitlab.ts";
import { TestProject } from "../support/project.ts";
import { screen } from "./screens.ts";

/** A task that prints commands of CI systems, an image of it, and a Dockerfile with a fault. */
async function loudProject(): Promise<TestProject> {
  const project = await TestProject.resident({
    "loud.sh": "mkdir -p dist; echo '::error::not mine'; echo 'section_start:1:not_mine'\n",
    "sub/Dockerfile": "FROM scratch\nCOPY 50%,a:b /x\n",
  });
  project.define(`{
    tasks: { loud: task({ inputs: ["loud.sh"], outputs: ["dist/**"], run: ["sh", "loud.sh"] }) },
    images: {
      app: files({ needs: ["loud"], layers: [{ from: "dist", to: "/" }] }),
      broken: dockerfile({ context: "sub" }),
    },
  }`);
  return project;
}

/** What a run prints, times and tokens being alike; the number is how it must end. */
async function told(project: TestProject, code: number, ...args: string[]): Promise<string> {
  const outcome = await project.images("build", "-j", "1", ...args);
  assertEquals([outcome.code, outcome.stdout], [code, ""], outcome.stderr);
  return outcome.stderr.trimEnd()
    .replace(/ {2,}(?:\d+ ms|\d+\.\d s)/g, "  #").replace(/ (?:\d+ ms|\d+\.\d s)/g, " #")
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "TOKEN");
}

Deno.test("plain lines are what happens, and what is told at the end", async (t) => {
  await using project = await loudProject();

  await t.step("output is shown of what fails only", async () => {
    assertEquals(
      await told(project, 0, "app"),
      screen(`
        loud  running      first build
        loud  built  #  first build
        app   building     first build
        app   built  #  first build
        done: 1 built, 1 task run in #
        critical path: loud # → app #
      `),
    );
  });

  await t.step("all of it with -v, and failures only with -q", async () => {
    project.write({ "loud.sh": "mkdir -p dist; echo '::error::not mine'; echo 2 > dist/x\n" });
    const loud = await told(project, 0, "app", "-v");
    assertMatch(loud, /^loud {2}::error::not mine$/m);
    project.write({ "loud.sh": "mkdir -p dist; echo 3 > dist/x\n" });
    assertEquals(await told(project, 0, "app", "-q"), "");
    assertEquals(
      await told(project, 1, "broken", "-q"),
      screen(`
        broken  failed  #  sub/Dockerfile:2:6: 50%,a:b is not in the build context (sub)
        broken    1 | FROM scratch
        broken  > 2 | COPY 50%,a:b /x
        broken      |      ^
        broken  next: create it, or correct the path
      `),
    );
  });
});

Deno.test("GitHub gets groups, annotations and a summary, and no command of somebody else", async (t) => {
  await using project = await loudProject();
  project.env.GITHUB_ACTIONS = "true";
  project.env.GITHUB_STEP_SUMMARY = project.beside("summary.md");

  await t.step("the output of what went well is a closed group", async () => {
    assertEquals(
      await told(project, 0, "app"),
      screen(`
        loud  running      first build
        ::group::loud  built  #  first build
        ::stop-commands::TOKEN
        ::error::not mine
        section_start:1:not_mine
        ::TOKEN::
        ::endgroup::
        app   building     first build
        app   built  #  first build
        done: 1 built, 1 task run in #
        critical path: loud # → app #
      `),
    );
  });

  await t.step("a failure is an annotation in its file, from where the checkout is", async () => {
    project.env.GITHUB_WORKSPACE = project.root.slice(0, project.root.lastIndexOf("/"));
    const lines = (await told(project, 1, "broken", "app")).split("\n");
    assertEquals(lines.filter((line) => line.startsWith("::error")), [
      "::error file=project/sub/Dockerfile,line=2,col=6,title=broken::" +
      "50%25,a:b is not in the build context (sub)%0Anext: create it, or correct the path",
    ]);
  });

  await t.step("the summary has a table of each run, in which text stays text", () => {
    const summary = Deno.readTextFileSync(project.beside("summary.md"));
    const [, good = "", bad = ""] = summary.split(/^### /m);
    assertMatch(good, /^✅ `images build`\n/);
    assertMatch(good, /\n\| app \| built \| \d+ ms \| .* \| `content-[0-9a-f]{32}` \|\n/);
    assertMatch(bad, /^❌ `images build`\n/);
    assertMatch(bad, /\n\| broken \| failed \| .* \| 50%,a:b is not in the build context/);
  });
});

Deno.test("GitHub's summary tells the platforms of one image apart", () => {
  const image = (platform: string, name = "app"): ImageResult => {
    return { name, platform, plugin: "files", status: "cached", reasons: [], needs: [], ms: 0 };
  };
  const images = [
    ...["linux/amd64", "linux/arm64", "index"].map((platform) => image(platform)),
    image("linux/amd64", "web"),
  ];
  const document = { schema: 1, command: "build", ok: true, images, tasks: [], totals: {}, ms: 0 };
  const rows = stepSummary(document as ResultDocument, []).matchAll(/^\| (\w\S+) \| cached/gm);
  assertEquals([...rows].map(([, name]) => name), ["app@linux/amd64", "app@linux/arm64", "web"]);
});

Deno.test("GitLab gets sections that are closed, and no marker of somebody else", async () => {
  await using project = await loudProject();
  project.env.GITLAB_CI = "true";
  const lines = (await told(project, 0, "app")).split("\n");
  const [start, first, second, end] = lines.slice(1);
  assertMatch(
    start ?? "",
    // deno-lint-ignore no-control-regex
    /^\x1b\[0Ksection_start:\d{10}:images_1_loud\[collapsed=true\]\r\x1b\[0Kloud {2}built {2}# /,
  );
  assertEquals([first, second], ["::error::not mine", "section_\u200bstart:1:not_mine"]);
  // deno-lint-ignore no-control-regex
  assertMatch(end ?? "", /^\x1b\[0Ksection_end:\d{10}:images_1_loud\r\x1b\[0K$/);
});

Deno.test("sections have names of their own, of characters that GitLab knows", () => {
  const dialect = new GitlabDialect(() => 7);
  const names = ["app", "app", "app@linux/arm64"].map((id) =>
    dialect.fold(id, "title", ["line"], 2_800)[0]?.replace(/^.*:4:|\[.*$/gs, "")
  );
  assertEquals(names, ["images_1_app", "images_2_app", "images_3_app-linux-arm64"]);
});

Deno.test("annotation() escapes what would end a property, a line or the command", () => {
  const place = { file: "/ws/a,b:c/100%.ts", line: 3, column: 7 };
  assertEquals(
    annotation(new Fault("one\r\ntwo, 50%", { place }), "x:y", place, "/ws"),
    "::error file=a%2Cb%3Ac/100%25.ts,line=3,col=7,title=x%3Ay::one%0D%0Atwo, 50%25",
  );
  const nowhere = annotation(
    new Fault("it", { where: "app", next: "mend" }),
    "all",
    undefined,
    undefined,
  );
  assertEquals(nowhere, "::error title=all::app: it%0Anext: mend");
  assert(!annotation(new Fault("it"), undefined, undefined, undefined).includes(" "));
});
