import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { repositoryOf, trackedFiles } from "../../lib/files/git_index.ts";
import { FileIndex } from "../../lib/files/index.ts";
import { Fault } from "../../lib/model/errors.ts";
import type { Selection } from "../../lib/model/selection.ts";
import { randomFrom } from "../support/random.ts";
import { toolTest } from "../support/tools.ts";
import { runTool } from "../support/real/program.ts";
import { tempFolder } from "../support/real/temp_folder.ts";

const TRACKED: Selection = { root: ".", include: ["**"], tracked: true };

/** Runs git where it sees no configuration but the repository's own. */
async function git(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await runTool(
    ["git", "-C", folder, "-c", "user.name=test", "-c", "user.email=test@example.com", ...args],
    { env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" } },
  );
  return stdout;
}

function write(folder: string, files: readonly string[]): void {
  for (const file of files) {
    const path = `${folder}/${file}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, file);
  }
}

async function paths(root: string, selection: Selection, projectRoot = root): Promise<string[]> {
  const index = FileIndex.open(projectRoot, `${root}.index`);
  return (await index.tree([selection])).entries.map(({ path }) => path);
}

toolTest(["git"], "a tracked selection holds what git tracks, as it is now", async () => {
  await using temp = await tempFolder("tracked");
  const root = `${temp.path}/repository`;
  write(root, ["a.txt", "src/b.txt", "src/deep/c.txt", "gone.txt", "junk/d.txt", "e.txt"]);
  assertEquals((await paths(root, TRACKED)).length, 9, "no repository: everything");
  await git(root, "init", "-q");
  await git(root, "add", "a.txt", "src", "gone.txt");
  Deno.removeSync(`${root}/gone.txt`);
  const all = ["a.txt", "src", "src/b.txt", "src/deep", "src/deep/c.txt"];
  assertEquals(await paths(root, TRACKED), all);
  const below = await paths(root, { ...TRACKED, root: "src", as: "src/" });
  assertEquals(below, ["src/b.txt", "src/deep", "src/deep/c.txt"]);
  assertEquals(
    await paths(root, { ...TRACKED, root: "../..", as: "../../" }, `${root}/src/deep`),
    all.map((path) => `../../${path}`),
  );
});

toolTest(["git"], "names that are not UTF-8 count only where git tracks them", async () => {
  await using temp = await tempFolder("tracked");
  const root = `${temp.path}/repository`;
  write(root, ["a.txt"]);
  await git(root, "init", "-q");
  await git(root, "add", ".");
  await runTool(["sh", "-c", "cd \"$0\" && touch $(printf 'x\\377')", root]);
  assertEquals(await paths(root, TRACKED), ["a.txt"]);
  await git(root, "add", ".");
  await assertRejects(() => paths(root, TRACKED), Fault, "is not UTF-8");
});

toolTest(
  ["git"],
  "a tracked selection's root changes with the index, not with other files",
  async () => {
    await using temp = await tempFolder("tracked");
    const root = `${temp.path}/repository`;
    write(root, ["a.txt", "b.txt"]);
    await git(root, "init", "-q");
    await git(root, "add", "a.txt");
    Deno.utimeSync(`${root}/a.txt`, 1e9, 1e9);
    const rootOf = async () => {
      const index = FileIndex.open(root, `${temp.path}/index`);
      const known = index.root([TRACKED]);
      const tree = await index.tree([TRACKED]);
      index.save();
      if (known !== undefined) assertEquals(known, tree.root);
      return tree.root;
    };
    const before = await rootOf();
    write(root, ["c.txt", "junk/d.txt"]);
    assertEquals(await rootOf(), before);
    await git(root, "commit", "-qm", "a");
    assertEquals(await rootOf(), before);
    await git(root, "add", "b.txt");
    const added = await rootOf();
    assertNotEquals(added, before);
    await git(root, "rm", "-q", "--cached", "b.txt");
    assertEquals(await rootOf(), before);
  },
);

toolTest(["git"], "worktrees, SHA-256 and submodules are read as git reads them", async () => {
  await using temp = await tempFolder("tracked");
  const main = `${temp.path}/main`;
  write(main, ["a.txt", "sub/b.txt"]);
  await git(main, "init", "-q");
  await git(`${main}/sub`, "init", "-q");
  await git(`${main}/sub`, "add", ".");
  await git(`${main}/sub`, "commit", "-qm", "sub");
  await git(main, "add", ".");
  await git(main, "commit", "-qm", "a");
  assertEquals(await paths(main, TRACKED), ["a.txt"]);
  const linked = `${temp.path}/linked`;
  await git(main, "worktree", "add", "-q", "-b", "other", linked);
  write(linked, ["c.txt"]);
  await git(linked, "add", "c.txt");
  assertEquals(await paths(linked, TRACKED), ["a.txt", "c.txt"]);
  const sha256 = `${temp.path}/sha256`;
  write(sha256, ["a.txt", "x/b.txt"]);
  await git(sha256, "init", "-q", "--object-format=sha256");
  await git(sha256, "add", ".");
  assertEquals(trackedFiles(repositoryOf(`${sha256}/x`)!)?.files, ["a.txt", "x/b.txt"]);
});

toolTest(
  ["git"],
  "an index tells of submodules, and of files that git does not look at",
  async () => {
    await using temp = await tempFolder("tracked");
    const root = temp.path;
    write(root, ["a.txt", "b.txt", "sub/c.txt"]);
    await git(root, "init", "-q");
    await git(`${root}/sub`, "init", "-q");
    await git(`${root}/sub`, "add", ".");
    await git(`${root}/sub`, "commit", "-qm", "sub");
    await git(root, "add", ".");
    const read = () => trackedFiles(repositoryOf(root)!);
    const index = {
      files: ["a.txt", "b.txt"],
      submodules: ["sub"],
      folders: [],
      unwatched: false,
    };
    assertEquals(read(), index);
    for (const flag of ["skip-worktree", "assume-unchanged"]) {
      await git(root, "update-index", `--${flag}`, "b.txt");
      assertEquals(read(), { ...index, unwatched: true });
      await git(root, "update-index", `--no-${flag}`, "b.txt");
      assertEquals(read(), index);
    }
  },
);

/** Paths that are likely to share beginnings, none of them a folder of another. */
function somePaths(seed: number): string[] {
  const names = fc.sample(
    fc.array(fc.stringMatching(/^[a-zé€_. -]{1,30}$/), { minLength: 1, maxLength: 4 }),
    { numRuns: 60, seed },
  ).map((parts) => parts.map((part) => `d${part}`).join("/"));
  const alone = (name: string) => !names.some((other) => other.startsWith(`${name}/`));
  return [...new Set(names.filter(alone))];
}

/** What git itself says it tracks, each once. */
async function listedByGit(root: string): Promise<string[]> {
  const listed = (await git(root, "ls-files", "-z")).split("\0").filter((name) => name !== "");
  return [...new Set(listed)];
}

toolTest(["git"], "an index of any version, whole or split, is read as git reads it", async () => {
  for (const [seed, format] of ["sha1", "sha256"].entries()) {
    await using temp = await tempFolder("tracked");
    const root = temp.path;
    const all = somePaths(seed + 1);
    const some = randomFrom(seed);
    await git(root, "init", "-q", `--object-format=${format}`);
    write(root, all.slice(0, 30));
    await git(root, "add", ".");
    await git(root, "commit", "-qm", "first");
    for (let round = 0; round < 24; round++) {
      const [one = "", other = ""] = [0, 1].map(() => all[Math.floor(some() * all.length)]!);
      write(root, [one, other]);
      await git(root, "update-index", "--index-version", String(2 + Math.floor(some() * 3)));
      if (some() < 0.4) await git(root, "update-index", "--split-index");
      else if (some() < 0.2) await git(root, "update-index", "--no-split-index");
      Deno.writeTextFileSync(`${root}/${one}`, String(round));
      // Only an entry with extended flags makes git write version 3.
      await git(root, "add", ...(some() < 0.3 ? ["-N"] : []), one);
      if (some() < 0.5) await git(root, "rm", "-q", "--cached", "--ignore-unmatch", other);
      if (some() < 0.3) await git(root, "commit", "-qm", "more", "--allow-empty");
      const tracked = trackedFiles(repositoryOf(root)!);
      const { files = [], ...rest } = tracked ?? {};
      assertEquals([...files].sort(), (await listedByGit(root)).sort(), `${format} ${round}`);
      assertEquals(rest, { submodules: [], folders: [], unwatched: false });
    }
  }
});

toolTest(
  ["git"],
  "paths in conflict are tracked, and an index that is gone tracks nothing",
  async () => {
    await using temp = await tempFolder("tracked");
    const root = temp.path;
    const readFiles = () => new Set(trackedFiles(repositoryOf(root)!)?.files);
    await git(root, "init", "-q", "-b", "main");
    assertEquals(readFiles(), new Set());
    write(root, ["a.txt", "b.txt"]);
    await git(root, "add", ".");
    await git(root, "commit", "-qm", "first");
    await git(root, "checkout", "-qb", "other");
    Deno.writeTextFileSync(`${root}/a.txt`, "theirs");
    await git(root, "commit", "-qam", "theirs");
    await git(root, "checkout", "-q", "main");
    Deno.writeTextFileSync(`${root}/a.txt`, "ours");
    await git(root, "commit", "-qam", "ours");
    await assertRejects(() => git(root, "merge", "-q", "other"));
    assertEquals(readFiles(), new Set(["a.txt", "b.txt"]));
    const bytes = Deno.readFileSync(`${root}/.git/index`);
    Deno.removeSync(`${root}/.git/index`);
    assertEquals(readFiles(), new Set());
    for (let length = 0; length < bytes.length; length += 7) {
      Deno.writeFileSync(`${root}/.git/index`, bytes.subarray(0, length));
      assertEquals(trackedFiles(repositoryOf(root)!), undefined, `cut at ${length}`);
    }
  },
);

toolTest(["git"], "of a folder that a sparse index leaves out, all counts", async () => {
  await using temp = await tempFolder("tracked");
  const root = temp.path;
  write(root, ["a.txt", "kept/b.txt", "out/deep/c.txt", "out/d.txt"]);
  await git(root, "init", "-q");
  await git(root, "add", ".");
  await git(root, "commit", "-qm", "first");
  await git(root, "sparse-checkout", "set", "--cone", "--sparse-index", "kept");
  assertEquals(trackedFiles(repositoryOf(root)!), {
    files: ["a.txt", "kept/b.txt"],
    submodules: [],
    folders: ["out"],
    unwatched: true,
  });
  const kept = ["a.txt", "kept", "kept/b.txt"];
  write(root, ["kept/new.txt", "new/e.txt"]);
  assertEquals(await paths(root, TRACKED), kept);
  write(root, ["out/deep/c.txt"]);
  assertEquals(await paths(root, TRACKED), [...kept, "out", "out/deep", "out/deep/c.txt"]);
  assertEquals(await paths(root, { ...TRACKED, root: "out" }), ["deep", "deep/c.txt"]);
  await git(root, "add", "--sparse", "kept/new.txt");
  assertEquals((await paths(root, TRACKED)).includes("kept/new.txt"), true);
});

toolTest(
  ["git"],
  "of a tracked folder whose files are all deleted it counts that it is there",
  async () => {
    await using temp = await tempFolder("tracked");
    const root = temp.path;
    write(root, ["a.txt", "b/c.txt"]);
    await git(root, "init", "-q");
    await git(root, "add", ".");
    Deno.removeSync(`${root}/b/c.txt`);
    assertEquals(await paths(root, TRACKED), ["a.txt", "b"]);
    Deno.removeSync(`${root}/b`);
    assertEquals(await paths(root, TRACKED), ["a.txt"]);
  },
);

toolTest(["git"], "an index that can be read again is looked at again", async () => {
  await using temp = await tempFolder("tracked");
  const root = `${temp.path}/repository`;
  write(root, ["a.txt", "b.txt"]);
  await git(root, "init", "-q");
  await git(root, "add", "a.txt");
  const bytes = Deno.readFileSync(`${root}/.git/index`);
  Deno.writeFileSync(`${root}/.git/index`, bytes.subarray(0, 40));
  assertEquals(await paths(root, TRACKED), ["a.txt", "b.txt"], "all counts where it is unknown");
  Deno.writeFileSync(`${root}/.git/index`, bytes);
  assertEquals(await paths(root, TRACKED), ["a.txt"]);
});
