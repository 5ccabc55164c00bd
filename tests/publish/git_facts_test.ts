import { assertEquals } from "@std/assert";
import {
  ancestryOf,
  fetchCommits,
  gitAnnotations,
  gitFacts,
  publicAddress,
} from "../../lib/registry/publish/git_facts.ts";
import { runTool } from "../support/real/program.ts";
import { type TempFolder, tempFolder } from "../support/real/temp_folder.ts";
import { toolTest } from "../support/tools.ts";
import { Git } from "./rig.ts";

/** A repository of four commits in a row, and one beside them on a branch of its own. */
async function history(folder: TempFolder): Promise<{ main: string[]; side: string }> {
  const git = await Git.init(`${folder.path}/origin`);
  await Deno.writeTextFile(`${folder.path}/origin/large.bin`, "long gone");
  const main = [await git.commit("0"), await git.commit("1")];
  await git.run("switch", "-q", "-c", "side");
  const side = await git.commit("side");
  await git.run("switch", "-q", "main");
  main.push(await git.commit("2"));
  await Deno.writeTextFile(`${folder.path}/origin/large.bin`, "x".repeat(1000));
  main.push(await git.commit("3"));
  return { main, side };
}

async function repository(): Promise<TempFolder> {
  const folder = await tempFolder("git");
  await Deno.mkdir(`${folder.path}/origin`);
  return folder;
}

toolTest(["git"], "ancestryOf() knows which commit comes later", async () => {
  await using folder = await repository();
  const { main, side } = await history(folder);
  const root = `${folder.path}/origin`;
  let fetches = 0;
  const ancestry = (candidate = "", revision = "") =>
    ancestryOf(root, candidate, revision, () => {
      fetches += 1;
      return Promise.resolve();
    });
  assertEquals(await ancestry(main[3], main[1]), "descendant");
  assertEquals(await ancestry(main[1], main[3]), "other");
  assertEquals(await ancestry(main[1], main[1]), "other");
  assertEquals(await ancestry(side, main[3]), "other");
  assertEquals(fetches, 0);
  assertEquals(await ancestry("f".repeat(40), main[3]), "unknown");
  // What a registry says is not handed to git unless it is a commit's hash.
  assertEquals(await ancestry("--help", main[3]), "unknown");
  assertEquals(await ancestry("main", main[0]), "unknown");
});

toolTest(["git"], "a shallow clone fetches commits once, and no blobs", async () => {
  await using folder = await repository();
  const { main, side } = await history(folder);
  const root = `${folder.path}/shallow`;
  const url = `file://${folder.path}/origin`;
  await runTool(["git", "clone", "-q", "--depth=1", url, root]);
  await runTool(["git", "-C", root, "checkout", "-q", "--detach"]);
  const ancestry = (candidate = "", revision = "") =>
    ancestryOf(root, candidate, revision, () => fetchCommits(root));
  assertEquals(await ancestry(main[3], main[1]), "descendant");
  assertEquals(await ancestry(main[0], main[3]), "other");
  assertEquals(await ancestry(side, main[3]), "other");
  const { stdout } = await runTool([
    "git",
    "-C",
    root,
    "rev-list",
    "--objects",
    "--missing=print",
    "--all",
  ]);
  assertEquals(stdout.includes(main[0] ?? ""), true);
});

toolTest(["git"], "a whole clone is not made into one that lacks blobs", async () => {
  await using folder = await repository();
  await history(folder);
  const root = `${folder.path}/clone`;
  await runTool(["git", "clone", "-q", `file://${folder.path}/origin`, root]);
  const later = await new Git(`${folder.path}/origin`).commit("later");
  const head = await new Git(root).run("rev-parse", "HEAD");
  assertEquals(await ancestryOf(root, later, head, () => fetchCommits(root)), "descendant");
  const config = await runTool(["git", "-C", root, "config", "--list", "--local"]);
  assertEquals(/promisor|partialclone/i.test(config.stdout), false);
});

toolTest(["git"], "gitFacts() asks git, and CI before it", async () => {
  await using folder = await repository();
  const { main } = await history(folder);
  const root = `${folder.path}/origin`;
  const git = new Git(root);
  await git.run("tag", "v2");
  await git.run("remote", "add", "origin", "https://user:secret@git.example.com/a/b.git");
  const { created, ...facts } = await gitFacts(root, {});
  assertEquals(facts, {
    revision: main.at(-1)!,
    branch: "main",
    tag: "v2",
    source: "https://git.example.com/a/b",
  });
  assertEquals(Number.isNaN(Date.parse(created ?? "")), false);
  const github = await gitFacts(root, {
    GITHUB_ACTIONS: "true",
    GITHUB_SHA: "c".repeat(40),
    GITHUB_REF_TYPE: "branch",
    GITHUB_REF_NAME: "7/merge",
    GITHUB_HEAD_REF: "topic",
    GITHUB_REPOSITORY: "org/app",
  });
  assertEquals(github, {
    revision: "c".repeat(40),
    branch: "topic",
    source: "https://github.com/org/app",
    created: created!,
  });
  const gitlab = await gitFacts(root, {
    GITLAB_CI: "true",
    CI_COMMIT_SHA: "d".repeat(40),
    CI_COMMIT_TAG: "v3",
    CI_PROJECT_URL: "https://gitlab.example.com/g/app",
  });
  assertEquals(gitAnnotations(gitlab), {
    "org.opencontainers.image.revision": "d".repeat(40),
    "org.opencontainers.image.source": "https://gitlab.example.com/g/app",
    "org.opencontainers.image.version": "v3",
    "org.opencontainers.image.created": created!,
  });
  assertEquals(await gitFacts("/", {}), {});
});

Deno.test("publicAddress() tells people where, and no secret", () => {
  const cases: [string | undefined, string | undefined][] = [
    ["git@github.com:org/app.git", "https://github.com/org/app"],
    ["ssh://git@git.example.com:2222/org/app.git", "https://git.example.com/org/app"],
    ["https://token:x-oauth@github.com/org/app.git/", "https://github.com/org/app"],
    ["https://github.com/org/app", "https://github.com/org/app"],
    ["/srv/git/app.git", undefined],
    ["file:///srv/git/app.git", undefined],
    ["../app", undefined],
    [undefined, undefined],
  ];
  for (const [remote, address] of cases) assertEquals(publicAddress(remote), address, remote);
});
