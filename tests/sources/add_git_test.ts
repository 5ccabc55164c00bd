/** ADD of git repositories: the commit is the key, and its files come into the image. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { filesOf } from "../dockerfile/files_of.ts";
import { imageIn } from "../dockerfile_engines/rig.ts";
import { TestProject } from "../support/project.ts";
import { toolTest } from "../support/tools.ts";
import { Repository } from "./repository.ts";

const APP = "{ images: { app: dockerfile({}) } }";

async function projectWith(lines: string): Promise<TestProject> {
  return await TestProject.resident({ "Dockerfile": `FROM scratch\n${lines}\n` }, APP);
}

async function filesIn(project: TestProject): Promise<Record<string, string>> {
  return await filesOf(imageIn(project, "app").layers, { texts: true });
}

toolTest(["git"], "ADD of a repository is in the key by its commit", async (t) => {
  await using repository = await Repository.create();
  await repository.commit({ "README": "one\n", "sub/run": "#!/bin/sh\n" });
  await Deno.chmod(`${repository.work}/sub/run`, 0o755);
  await Deno.symlink("sub/run", `${repository.work}/link`);
  const first = await repository.commit({});
  await using project = await projectWith(`ADD ${repository.url()} /src`);

  await t.step("with modes and links, without .git", async () => {
    assertEquals(await project.statuses("app"), { app: "built" });
    assertEquals(await filesIn(project), {
      "/src": "folder 0755 0:0",
      "/src/README": "file 0644 0:0 one\n",
      "/src/link": "link 0:0 sub/run",
      "/src/sub": "folder 0755 0:0",
      "/src/sub/run": "file 0755 0:0 #!/bin/sh\n",
    });
  });
  await t.step("nothing is asked where the record is there", async () => {
    repository.requests = 0;
    assertEquals(await project.statuses("app"), { app: "cached" });
    assertEquals(repository.requests, 0);
  });
  await t.step("a branch that moves is seen by plan and --pull", async () => {
    assertEquals((await project.json(["plan"])).images[0]!.verdict, "current");
    await repository.commit({ "README": "two\n" });
    const [planned] = (await project.json(["plan"])).images;
    assertEquals(planned!.reasons.map(({ kind, path }) => [kind, path]), [
      ["base-changed", repository.url()],
    ]);
    assertEquals(await project.statuses("app", "--pull"), { app: "built" });
    assertEquals((await filesIn(project))["/src/README"], "file 0644 0:0 two\n");
  });
  await t.step("a commit is fixed: nothing is asked", async () => {
    project.write({ "Dockerfile": `FROM scratch\nADD ${repository.url(`#${first}:sub`)} /\n` });
    assertEquals(await project.statuses("app"), { app: "built" });
    assertEquals(await filesIn(project), { "/run": "file 0755 0:0 #!/bin/sh\n" });
    repository.requests = 0;
    assertEquals((await project.json(["plan"])).images[0]!.verdict, "current");
    assertEquals(repository.requests, 0);
  });
  await t.step("images.lock pins the commit", async () => {
    project.write({ "Dockerfile": `FROM scratch\nADD ${repository.url("#main")} /\n` });
    assertEquals((await project.images("pin")).code, 0);
    const { sources } = JSON.parse(Deno.readTextFileSync(project.path("images.lock")));
    const second = await repository.git("rev-parse", "HEAD");
    assertEquals(sources, { [repository.url("#main")]: { identity: `commit:${second}` } });
    await repository.commit({ "README": "three\n" });
    assertEquals(await project.statuses("app", "--pull"), { app: "built" });
    assertEquals((await filesIn(project))["/README"], "file 0644 0:0 two\n");
    assertMatch((await project.images("plan")).stdout, /has moved since it was pinned/);
  });
});

toolTest(["git"], "refs are found as BuildKit finds them", async (t) => {
  await using repository = await Repository.create();
  const old = await repository.commit({ "f": "old" });
  await repository.git("tag", "--annotate", "v1", "--message", "one");
  await repository.git("tag", "both");
  const next = await repository.commit({ "f": "next" });
  await repository.git("branch", "both");
  await repository.git("branch", "feature/x");
  await repository.publish();
  const cases: [string, string][] = [
    ["", "next"],
    ["#v1", "old"],
    ["#both", "next"],
    ["#refs/tags/both", "old"],
    ["#feature/x", "next"],
    [`#${old}`, "old"],
    ["?ref=v1", "old"],
    ["?tag=v1&subdir=/", "old"],
    ["?branch=both", "next"],
    [`?checksum=${next}`, "next"],
    [`?commit=${next.slice(0, 10)}`, "next"],
  ];
  for (const [rest, text] of cases) {
    await t.step(rest || "HEAD", async () => {
      await using project = await projectWith(`ADD ${repository.url(rest)} /`);
      assertEquals(await project.statuses("app"), { app: "built" });
      assertEquals(await filesIn(project), { "/f": `file 0644 0:0 ${text}` });
    });
  }
  const faults: [string, string, RegExp][] = [
    ["no such ref", `ADD ${repository.url("#nowhere")} /`, /There is no branch or tag "nowhere"/],
    [
      "a short commit",
      `ADD ${repository.url(`#${old.slice(0, 9)}`)} /`,
      /write the commit in full/,
    ],
    [
      "another commit",
      `ADD --checksum=${old} ${repository.url("#main")} /`,
      /not (?:at|the commit)/,
    ],
    ["no such folder", `ADD ${repository.url("#main:none")} /`, /none is no folder/],
    ["a parameter", `ADD ${repository.url("?reef=main")} /`, /no parameter "reef"/],
    ["no repository", `ADD ${repository.url().replace("repo", "none")} /`, /git cannot read/],
    ["an option for a ref", `ADD ${repository.url("#--upload-pack=x")} /`, /may be fetched/],
    ["an option for a host", "ADD ssh://-oProxyCommand=x/y.git /", /may be fetched|cannot read/],
  ];
  for (const [name, line, message] of faults) {
    await t.step(name, async () => {
      await using project = await projectWith(line);
      const { code, stderr } = await project.images("build", "app");
      assertMatch(stderr, message);
      assert(code !== 0);
    });
  }
});

toolTest(["git"], "--keep-git-dir and submodules", async (t) => {
  await using inner = await Repository.create();
  await inner.commit({ "inner": "file" });
  await using repository = await Repository.create();
  await repository.commit({ "outer": "file" });
  await repository.git("submodule", "--quiet", "add", inner.url(), "module");
  await repository.commit({});

  await t.step("submodules come along", async () => {
    await using project = await projectWith(`ADD ${repository.url()} /`);
    assertEquals(await project.statuses("app"), { app: "built" });
    const files = await filesIn(project);
    assertEquals(Object.keys(files), ["/.gitmodules", "/module", "/module/inner", "/outer"]);
  });
  await t.step("unless the URL says otherwise", async () => {
    await using project = await projectWith(`ADD ${repository.url("?submodules=false")} /`);
    assertEquals(await project.statuses("app"), { app: "built" });
    assertEquals(Object.keys(await filesIn(project)), ["/.gitmodules", "/module", "/outer"]);
  });
  await t.step("a kept .git is the same again, and knows its commit", async () => {
    await using project = await projectWith(`ADD --keep-git-dir ${repository.url()} /r`);
    const { images: [built] } = await project.json(["build", "app"]);
    const files = await filesIn(project);
    assert("/r/.git/HEAD" in files, Object.keys(files).join(" "));
    assert(!Object.keys(files).some((path) => path.includes("/hooks/") || path.includes("/logs/")));
    await Deno.remove(project.path(".images"), { recursive: true });
    const { images: [again] } = await project.json(["build", "app"]);
    assertEquals(again!.imageId, built!.imageId);
  });
});

toolTest(["git"], "a repository of plain files", async () => {
  await using repository = await Repository.create("plain");
  await repository.commit({ "f": "one" });
  await using project = await projectWith(`ADD ${repository.url("#main")} /`);
  assertEquals(await project.statuses("app"), { app: "built" });
  assertEquals(await filesIn(project), { "/f": "file 0644 0:0 one" });
});

toolTest(["git"], "git runs nothing of the user's and nothing of the repository's", async () => {
  await using repository = await Repository.create();
  await repository.commit({ "f": "one", ".gitattributes": "f filter=evil\n" });
  await using project = await TestProject.create(
    { "Dockerfile": `FROM scratch\nADD ${repository.url()} /\n` },
    APP,
  );
  const home = project.beside("home");
  const mark = project.beside("mark");
  await Deno.mkdir(`${home}/hooks`, { recursive: true });
  await Deno.writeTextFile(`${home}/hooks/post-checkout`, `#!/bin/sh\ntouch ${mark}\n`);
  await Deno.chmod(`${home}/hooks/post-checkout`, 0o755);
  await Deno.writeTextFile(
    `${home}/.gitconfig`,
    `[core]\nhooksPath = ${home}/hooks\n[filter "evil"]\nsmudge = "touch ${mark}; cat"\n` +
      `[credential]\nhelper = "!touch ${mark}"\n`,
  );
  Object.assign(project.env, {
    GIT_CONFIG_GLOBAL: `${home}/.gitconfig`,
    GIT_DIR: "/nowhere",
    GIT_WORK_TREE: "/nowhere",
  });
  assertEquals(await project.statuses("app"), { app: "built" });
  assertEquals(await filesIn(project), {
    "/.gitattributes": "file 0644 0:0 f filter=evil\n",
    "/f": "file 0644 0:0 one",
  });
  let isMarked = true;
  await Deno.stat(mark).catch(() => isMarked = false);
  assertEquals(isMarked, false);
});
