/** Repositories in which the files of the work tree alone do not decide what a flake sees. */

import { assert, assertEquals } from "@std/assert";
import { exists } from "../../lib/store/state.ts";
import { imageOf } from "../support/project.ts";
import { randomFrom } from "../support/random.ts";
import { runTool } from "../support/real/program.ts";
import { toolTest } from "../support/tools.ts";
import { flakeOf, FlakeProject, SYSTEM } from "./rig.ts";

const ONE = `{ images: { one: nix2container({ installable: ".#one" }) } }`;

/** Names and contents of all that a flake sees. */
const LISTING = `let
  walk = path: builtins.mapAttrs (name: type:
    let below = path + "/\${name}"; in
    if type == "directory" then walk below
    else if type == "regular" then builtins.hashString "sha256" (builtins.readFile below)
    else type) (builtins.readDir path);
in builtins.hashString "sha256" (builtins.toJSON (walk ./.))`;

async function listingFlake(): Promise<FlakeProject> {
  const outputs = `{ text = ${LISTING};
    packages.${SYSTEM}.one = image { name = "one"; text = ${LISTING}; }; }`;
  const flake = await FlakeProject.create(
    { "flake.nix": flakeOf(outputs), "a.txt": "a\n", "d/b.txt": "b\n", "f/g/c.txt": "c\n" },
    ONE,
  );
  await flake.git("branch", "other");
  return flake;
}

/** What Nix itself sees. */
async function seenByNix({ project: { root }, env }: FlakeProject): Promise<string> {
  return (await runTool(["nix", "eval", "--raw", ".#text"], { cwd: root, env })).stdout;
}

/** Builds after each of some steps; one listing must be one image, and another listing another. */
async function follows(
  flake: FlakeProject,
  steps: readonly (() => unknown)[],
): Promise<string[]> {
  const images = new Map<string, string>();
  const listings = new Map<string, string>();
  const statuses: string[] = [];
  for (const [at, step] of [() => {}, ...steps].entries()) {
    await step();
    const listing = await seenByNix(flake);
    const { imageId = "none", status } = imageOf(await flake.project.json(["build"]), "one");
    assertEquals(images.get(listing) ?? imageId, imageId, `the same files, at step ${at}`);
    assertEquals(listings.get(imageId) ?? listing, listing, `other files, at step ${at}`);
    images.set(listing, imageId);
    listings.set(imageId, listing);
    statuses.push(status ?? "none");
  }
  return statuses;
}

toolTest(["nix", "git"], "a file that is added to any kind of index is seen", async (t) => {
  const kinds: Record<string, readonly (readonly string[])[]> = {
    split: [["update-index", "--split-index"]],
    "split by configuration": [["config", "core.splitIndex", "true"]],
    sparse: [["sparse-checkout", "set", "--cone", "--sparse-index", "d"]],
    "with patterns": [["sparse-checkout", "set", "--no-cone", "/*", "!/f/"]],
    "of version 4": [["update-index", "--index-version", "4"]],
    "with a cache of untracked files": [["update-index", "--untracked-cache"]],
  };
  for (const [kind, commands] of Object.entries(kinds)) {
    await t.step(kind, async () => {
      await using flake = await listingFlake();
      for (const command of commands) await flake.git(...command);
      const statuses = await follows(flake, [
        () => flake.project.write({ "d/new.txt": "new\n" }),
        () => flake.git("add", "d/new.txt"),
        () => flake.git("commit", "-qm", "new"),
        () => flake.project.write({ "d/intended.txt": "" }),
        () => flake.git("add", "-N", "d/intended.txt"),
        () => flake.git("rm", "-q", "--cached", "d/new.txt"),
      ]);
      const isWhole = exists(flake.project.path("f"));
      const expected = ["built", "cached", "built", "cached", "cached", "built", "built"];
      // What a sparse checkout leaves out comes and goes with the first change.
      if (isWhole) assertEquals(statuses, expected);
    });
  }
});

toolTest(["nix", "git"], "a mark that hides changes from git counts, and its end too", async () => {
  for (const mark of ["assume-unchanged", "skip-worktree"]) {
    await using flake = await listingFlake();
    const { project } = flake;
    const statuses = await follows(flake, [
      () => flake.git("update-index", `--${mark}`, "a.txt", "d/b.txt"),
      () => project.write({ "a.txt": "changed\n" }),
      () => flake.git("update-index", `--no-${mark}`, "a.txt"),
      () => project.write({ "d/b.txt": "changed\n" }),
      () => flake.git("commit", "-qm", "a", "a.txt"),
      () => flake.git("update-index", `--no-${mark}`, "d/b.txt"),
    ]);
    assert(statuses.includes("built"));
  }
});

toolTest(["nix", "git"], "what a commit holds otherwise than the work tree is seen", async (t) => {
  const cases: Record<string, (flake: FlakeProject) => readonly (() => unknown)[]> = {
    "lines whose ends attributes convert": (flake) => [
      () => flake.project.write({ ".gitattributes": "* text=auto\n", "a.txt": "changed\r\n" }),
      () => flake.git("add", "."),
      () => flake.git("commit", "-qm", "line ends"),
    ],
    "lines whose ends settings convert": (flake) => [
      () => flake.git("config", "core.autocrlf", "input"),
      () => flake.project.write({ "a.txt": "changed\r\n" }),
      () => flake.git("commit", "-qam", "line ends"),
    ],
    "lines whose ends the user's settings convert": (flake) => [
      () => Deno.writeTextFileSync(`${flake.env.HOME}/.gitconfig`, "[core]\n  autocrlf = input\n"),
      () => flake.project.write({ "a.txt": "changed\r\n" }),
      () =>
        runTool(["git", "commit", "-qam", "x"], { cwd: flake.project.root, env: userEnv(flake) }),
      () => Deno.removeSync(`${flake.env.HOME}/.gitconfig`),
    ],
    "a repository in it": (flake) => [
      () => flake.git("init", "-q", "nested"),
      () => flake.git("-C", "nested", "commit", "-q", "--allow-empty", "-m", "nested"),
      () => flake.git("add", "nested"),
      () => flake.git("commit", "-qm", "nested"),
      () => flake.project.write({ "a.txt": "changed\n" }),
    ],
    "a folder whose files are deleted": (flake) => [
      () => Deno.removeSync(flake.project.path("d/b.txt")),
      () => Deno.removeSync(flake.project.path("d")),
    ],
  };
  for (const [name, steps] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using flake = await listingFlake();
      await follows(flake, steps(flake));
    });
  }
});

/** Variables with which git sees the same user's settings as Nix does. */
function userEnv({ env }: FlakeProject): Record<string, string> {
  const [name, email] = ["test", "test@example.com"];
  return {
    ...env,
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
}

toolTest(
  ["nix", "git"],
  "another index that the environment names is asked every time",
  async () => {
    await using flake = await listingFlake();
    const { project } = flake;
    project.write({ "new.txt": "new\n" });
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    const index = project.beside("index");
    const git = (...args: string[]) =>
      runTool(["git", "-C", project.root, ...args], { env: { GIT_INDEX_FILE: index } });
    await git("read-tree", "HEAD");
    project.env.GIT_INDEX_FILE = index;
    assertEquals(await flake.builds({ one: "cached" }), ["eval"]);
    await git("add", "new.txt");
    assertEquals(await flake.builds({ one: "built" }), ["eval", "build"]);
    // The first image is kept under its key.
    delete project.env.GIT_INDEX_FILE;
    assertEquals(await flake.builds({ one: "cached" }), ["eval"]);
  },
);

toolTest(["nix", "git"], "no edit at random leaves an image that Nix sees otherwise", async () => {
  const some = randomFrom(2);
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(some() * choices.length)]!;
  await using flake = await listingFlake();
  const { project } = flake;
  const path = () => pick(["a.txt", "d/b.txt", "f/g/c.txt", "d/new.txt", "h/i.txt"]);
  const remove = (below: string) => Deno.remove(project.path(below), { recursive: true });
  const edits: readonly (() => unknown)[] = [
    () => project.write({ [path()]: pick(["1\n", "2\n", "x\r\n", "$Id$\n", ""]) }),
    () => project.write({ [path()]: pick(["1\n", "2\n", "x\r\n", "$Id$\n", ""]) }),
    () => remove(path()),
    () => remove(pick(["d", "h", "f/g"])),
    () => Deno.chmod(project.path(path()), pick([0o644, 0o755])),
    () => flake.git("add", "-A"),
    () => flake.git("add", path()),
    () => flake.git("add", "-N", path()),
    () => flake.git("rm", "-q", "--cached", path()),
    () => flake.git("commit", "-qam", "all"),
    () => flake.git("commit", "-qm", "staged"),
    () => flake.git("update-index", pick(["--assume-unchanged", "--skip-worktree"]), path()),
    () => flake.git("update-index", pick(["--no-assume-unchanged", "--no-skip-worktree"]), path()),
    () => flake.git("update-index", pick(["--split-index", "--no-split-index"])),
    () => flake.git("update-index", "--index-version", pick(["2", "3", "4"])),
    () => flake.git("sparse-checkout", "set", "--cone", "--sparse-index", pick(["d", "f"])),
    () => flake.git("sparse-checkout", "set", "--no-cone", "/*", pick(["!/d/", "!/a.txt"])),
    () => flake.git("sparse-checkout", "disable"),
    () => flake.git("status"),
    () => flake.git("stash", "-q"),
    () => flake.git("stash", "pop", "-q"),
    () => flake.git("checkout", "-q", pick(["main", "other"])),
    () => flake.git("reset", "-q", pick(["--hard", "--mixed", "--soft"]), pick(["HEAD", "HEAD~1"])),
    () => flake.git("merge", "-q", "-m", "merged", pick(["main", "other"])),
    () => project.write({ ".gitattributes": pick(["* text=auto\n", "*.txt ident\n", "\n"]) }),
  ];
  // An edit may be impossible in the state that those before it led to.
  const attempt = async () => await Promise.resolve().then(pick(edits)).catch(() => {});
  const steps = Array.from({ length: 40 }, () => async () => {
    await attempt();
    await attempt();
    for (const name of ["flake.nix", "library.nix", "images.ts"]) {
      await flake.git("checkout", "-q", "main", "--", name);
    }
  });
  const statuses = await follows(flake, steps);
  assert(statuses.includes("cached") && statuses.includes("built"));
});
