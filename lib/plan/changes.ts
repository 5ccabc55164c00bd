/** What git says has changed since a commit: committed or not, tracked or not. */

import { relative } from "@std/path";
import { suggest } from "../dsl/suggest.ts";
import { type Fault, unavailableFault, usageFault } from "../model/errors.ts";
import { askGit } from "../process/git.ts";

/** The changes since a commit. */
export type Changes =
  | {
    readonly known: true;
    /** Full hash of the commit that was compared with. */
    readonly commit: string;
    /** Paths relative to the project's folder, sorted; some may begin with `../`. */
    readonly paths: readonly string[];
  }
  /** What has changed cannot be known, so anything may have. */
  | { readonly known: false; readonly why: string };

/** How long a commit that is missing may take to fetch, in milliseconds. */
const PATIENCE = 30_000;

/** Beginning of the refs that fetched commits have for a moment. */
const FETCHED = "refs/images/since-";

/** Age after which such a ref was left by a run that was killed, in milliseconds. */
const LEFT = 3_600_000;

/**
 * The paths that differ between a commit and the files as they are now.
 *
 * @param root the project's folder.
 * @throws {Fault} where there is no git, no repository, or no such name in a complete clone.
 */
export async function changesSince(root: string, ref: string): Promise<Changes> {
  const name = ref.trim();
  if (name === "" || name.startsWith("-")) {
    throw usageFault(`Cannot compare with the commit "${ref}"`, {
      next: "give a branch, tag or commit: --since origin/main",
    });
  }
  const prefix = await ask(root, ["rev-parse", "--show-prefix"]);
  if (prefix === undefined) {
    throw usageFault("Git does not know this folder", {
      where: root,
      next: "run it in a checkout, or name the targets",
    });
  }
  if (/^0{7,}$/.test(name)) {
    return { known: false, why: "the commit is all zeros: nothing came before this push" };
  }
  const commit = await commitOf(root, name) ?? await fetched(root, name);
  if (commit === undefined) return await unknownCommit(root, name);
  const tracked = await ask(root, [
    ...["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff"],
    ...["--ignore-submodules=none", commit],
  ]);
  const untracked = await ask(root, [
    ...["ls-files", "-z", "--others", "--exclude-standard", "--full-name", ":/"],
  ]);
  if (tracked === undefined || untracked === undefined) {
    return { known: false, why: `git cannot compare the files with ${name}` };
  }
  const paths = new Set(`${tracked}${untracked}`.split("\0").filter((path) => path !== ""));
  const above = `/${prefix.trim()}`;
  return {
    known: true,
    commit,
    paths: [...paths].map((path) => relative(above, `/${path}`)).sort(),
  };
}

function commitOf(root: string, name: string): Promise<string | undefined> {
  return ask(root, ["rev-parse", "--verify", "--quiet", `${name}^{commit}`])
    .then((text) => text?.trim());
}

/** Fetches a commit that a shallow clone, or a push that was forced, left out. */
async function fetched(root: string, name: string): Promise<string | undefined> {
  const shallow = await isShallow(root);
  if (!shallow && !isHash(name)) return undefined;
  const depth = shallow ? ["--depth=1"] : [];
  const wanted = name.replace(/^origin\//, "");
  const options = ["--quiet", "--no-tags", "--no-write-fetch-head", ...depth];
  await removeOldRefs(root);
  const kept = `${FETCHED}${Date.now()}-${crypto.randomUUID()}`;
  const args = ["fetch", ...options, "origin", `+${wanted}:${kept}`];
  if (await ask(root, args, AbortSignal.timeout(PATIENCE)) === undefined) return undefined;
  const commit = await commitOf(root, kept);
  await ask(root, ["update-ref", "-d", kept]);
  return commit;
}

/** Removes the refs of runs that were killed: each name has the time it was made at. */
async function removeOldRefs(root: string): Promise<void> {
  const refs = await ask(root, ["for-each-ref", "--format=%(refname)", `${FETCHED}*`]) ?? "";
  for (const ref of refs.split("\n").filter((each) => each !== "")) {
    const made = Number.parseInt(ref.slice(FETCHED.length), 10);
    if (!(Date.now() - made < LEFT)) await ask(root, ["update-ref", "-d", ref]);
  }
}

/** A hash may have been pushed away or cut off; a name that nobody knows is a mistake. */
async function unknownCommit(root: string, name: string): Promise<Changes> {
  const shallow = await isShallow(root);
  if (shallow) {
    const why = `the clone is shallow, and ${name} is not in it nor to be fetched ` +
      "(a full one: fetch-depth: 0 on GitHub, GIT_DEPTH: 0 on GitLab)";
    return { known: false, why };
  }
  if (isHash(name)) {
    return { known: false, why: `the commit ${name} is not in this clone: a forced push?` };
  }
  throw await unknownName(root, name);
}

async function unknownName(root: string, name: string): Promise<Fault> {
  const refs = await ask(root, ["for-each-ref", "--format=%(refname:short)"]) ?? "";
  const near = suggest(name, refs.split("\n").filter((each) => each !== ""));
  return usageFault(`Git knows no commit "${name}"`, {
    where: root,
    next: near === undefined
      ? "give a branch, tag or commit that is here: see `git branch --all`"
      : `did you mean "${near}"?`,
  });
}

async function isShallow(root: string): Promise<boolean> {
  return (await ask(root, ["rev-parse", "--is-shallow-repository"]))?.trim() === "true";
}

function isHash(name: string): boolean {
  return /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(name);
}

/** What git prints; undefined where it refuses. */
async function ask(
  root: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    const answer = await askGit(root, args, signal);
    if (answer === undefined) {
      throw unavailableFault("Git is not installed", {
        next: "install git, or name the targets yourself",
      });
    }
    return answer.code === 0 ? answer.stdout : undefined;
  } catch (error) {
    if (signal?.aborted) return undefined;
    throw error;
  }
}
