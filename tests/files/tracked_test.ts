import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { parseIndex, repositoryOf, trackedFiles } from "../../lib/files/git_index.ts";
import { FileIndex } from "../../lib/files/index.ts";
import { Fault } from "../../lib/model/errors.ts";
import type { Selection } from "../../lib/model/selection.ts";
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
  assertEquals(await paths(root, TRACKED), ["a.txt", "src/b.txt", "src/deep/c.txt"]);
  assertEquals(await paths(root, { ...TRACKED, root: "src", as: "src/" }), [
    "src/b.txt",
    "src/deep/c.txt",
  ]);
  assertEquals(
    await paths(root, { ...TRACKED, root: "../..", as: "../../" }, `${root}/src/deep`),
    ["../../a.txt", "../../src/b.txt", "../../src/deep/c.txt"],
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
    const index = { files: ["a.txt", "b.txt"], submodules: ["sub"], unwatched: false };
    assertEquals(read(), index);
    for (const flag of ["skip-worktree", "assume-unchanged"]) {
      await git(root, "update-index", `--${flag}`, "b.txt");
      assertEquals(read(), { ...index, unwatched: true });
      await git(root, "update-index", `--no-${flag}`, "b.txt");
      assertEquals(read(), index);
    }
  },
);

toolTest(["git"], "parseIndex() reads every version, and refuses split indexes", async () => {
  await using temp = await tempFolder("tracked");
  const root = temp.path;
  const names = fc.sample(
    fc.array(fc.stringMatching(/^[a-zé€_. -]{1,30}$/), { minLength: 1, maxLength: 4 }),
    { numRuns: 60, seed: 1 },
  ).map((parts) => parts.map((part) => `d${part}`).join("/"));
  const whole = new Set(
    names.filter((name) => !names.some((other) => other.startsWith(`${name}/`))),
  );
  write(root, [...whole]);
  await git(root, "init", "-q");
  await git(root, "add", ".");
  const listed = (await git(root, "ls-files", "-z")).split("\0").filter((name) => name !== "");
  for (const version of [2, 3, 4]) {
    await git(root, "update-index", "--index-version", String(version));
    // Only an entry with extended flags makes git write version 3.
    if (version === 3) {
      write(root, ["zzz"]);
      await git(root, "add", "-N", "zzz");
    }
    const expected = version === 2 ? listed : [...listed, "zzz"];
    assertEquals(parseIndex(Deno.readFileSync(`${root}/.git/index`)), {
      files: expected,
      submodules: [],
      unwatched: false,
    });
  }
  await git(root, "update-index", "--split-index");
  assertEquals(parseIndex(Deno.readFileSync(`${root}/.git/index`)), undefined);
  assertEquals(parseIndex(new Uint8Array(20)), undefined);
});
