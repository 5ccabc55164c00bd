/** What git and CI say about the sources: for annotations, tags, and the order of commits. */

import { askGit } from "../../process/git.ts";
import { ciSystem, type Environment } from "./ci.ts";

/** What is known of the checkout; anything may be missing. */
export interface GitFacts {
  /** Full hash of the commit. */
  readonly revision?: string;
  readonly branch?: string;
  readonly tag?: string;
  /** Address of the repository for people, without credentials. */
  readonly source?: string;
  /** Time of the commit, RFC 3339. */
  readonly created?: string;
}

/** Asks git and CI about a folder. */
export async function gitFacts(root: string, env: Environment): Promise<GitFacts> {
  const ask = (...args: string[]) => git(root, args);
  const system = ciSystem(env);
  const byHand = (...args: string[]) => system === undefined ? ask(...args) : undefined;
  const [commit, branch, tag, source] = await Promise.all([
    ask("show", "-s", "--format=%H %cI", "HEAD"),
    ciBranch(env) ?? byHand("branch", "--show-current"),
    ciTag(env) ?? byHand("describe", "--tags", "--exact-match", "HEAD"),
    ciSource(env) ?? ask("remote", "get-url", "origin").then(publicAddress),
  ]);
  const [head, created] = commit?.split(" ") ?? [];
  const revision = ciRevision(env) ?? head;
  return {
    ...(revision ? { revision } : {}),
    ...(branch ? { branch } : {}),
    ...(tag ? { tag } : {}),
    ...(source ? { source } : {}),
    ...(created ? { created } : {}),
  };
}

/** The commit alone: of CI's variables, else of the checkout. */
export async function revisionOf(root: string, env: Environment): Promise<string | undefined> {
  return ciRevision(env) ?? await git(root, ["rev-parse", "--verify", "HEAD"]);
}

function ciRevision(env: Environment): string | undefined {
  switch (ciSystem(env)) {
    case "github":
      return env.GITHUB_SHA || undefined;
    default:
      return env.CI_COMMIT_SHA || undefined;
  }
}

/** The annotations of a published manifest that come from git. */
export function gitAnnotations(facts: GitFacts): Record<string, string> {
  const { revision, source, tag, created } = facts;
  const prefix = "org.opencontainers.image";
  return {
    ...(revision === undefined ? {} : { [`${prefix}.revision`]: revision }),
    ...(source === undefined ? {} : { [`${prefix}.source`]: source }),
    ...(tag === undefined ? {} : { [`${prefix}.version`]: tag }),
    ...(created === undefined ? {} : { [`${prefix}.created`]: created }),
  };
}

/** How one commit stands to another. */
export type Ancestry = "descendant" | "other" | "unknown";

/**
 * Says whether `candidate` comes after `revision`. Commits that are missing in a shallow clone are
 * fetched once, without their blobs.
 */
export async function ancestryOf(
  root: string,
  candidate: string,
  revision: string,
  fetchOnce: () => Promise<void>,
): Promise<Ancestry> {
  if (candidate === revision) return "other";
  const known = await compare(root, candidate, revision);
  if (known !== "unknown") return known;
  await fetchOnce();
  return await compare(root, candidate, revision);
}

/**
 * Fetches the commits of all branches; where that fails, nothing is known. A shallow clone gets its
 * history without blobs. A whole clone is fetched as its owner would: a filter would stay with it.
 */
export async function fetchCommits(root: string, signal?: AbortSignal): Promise<void> {
  const isShallow = await git(root, ["rev-parse", "--is-shallow-repository"]) === "true";
  const history = isShallow ? ["--unshallow", "--filter=blob:none"] : [];
  const heads = "+refs/heads/*:refs/remotes/origin/*";
  await askGit(root, ["fetch", "--quiet", "--no-tags", ...history, "origin", heads], signal);
}

async function compare(root: string, candidate: string, revision: string): Promise<Ancestry> {
  if (!/^[0-9a-f]{7,64}$/.test(candidate) || !/^[0-9a-f]{7,64}$/.test(revision)) return "unknown";
  const forward = await status(root, ["merge-base", "--is-ancestor", revision, candidate]);
  if (forward === 0) return "descendant";
  if (forward !== 1) return "unknown";
  // In a shallow clone "no" may only mean that the commits between are not there.
  const backward = await status(root, ["merge-base", "--is-ancestor", candidate, revision]);
  if (backward === 0) return "other";
  return await git(root, ["rev-parse", "--is-shallow-repository"]) === "true" ? "unknown" : "other";
}

async function status(root: string, args: readonly string[]): Promise<number | undefined> {
  return (await askGit(root, args))?.code;
}

async function git(root: string, args: readonly string[]): Promise<string | undefined> {
  const answer = await askGit(root, args);
  return answer?.code === 0 ? answer.stdout.trim() : undefined;
}

function ciBranch(env: Environment): string | undefined {
  if (ciSystem(env) === "github") {
    return env.GITHUB_HEAD_REF ||
      (env.GITHUB_REF_TYPE === "branch" ? env.GITHUB_REF_NAME : undefined);
  }
  return env.CI_COMMIT_BRANCH || env.CI_MERGE_REQUEST_SOURCE_BRANCH_NAME || undefined;
}

function ciTag(env: Environment): string | undefined {
  if (ciSystem(env) === "github") {
    return env.GITHUB_REF_TYPE === "tag" ? env.GITHUB_REF_NAME : undefined;
  }
  return env.CI_COMMIT_TAG || undefined;
}

function ciSource(env: Environment): string | undefined {
  if (ciSystem(env) === "github" && env.GITHUB_REPOSITORY) {
    return `${env.GITHUB_SERVER_URL ?? "https://github.com"}/${env.GITHUB_REPOSITORY}`;
  }
  return env.CI_PROJECT_URL || undefined;
}

/** `git@host:path` and addresses with credentials as plain https; local paths say nothing. */
export function publicAddress(remote: string | undefined): string | undefined {
  if (remote === undefined) return undefined;
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/)(.+)$/.exec(remote);
  try {
    const url = new URL(scp === null ? remote : `https://${scp[1]}/${scp[2]}`);
    if (!/^(https?|ssh|git):$/.test(url.protocol)) return undefined;
    return `https://${url.hostname}${url.pathname.replace(/\.git\/?$/, "")}`;
  } catch {
    return undefined;
  }
}
