/** Remote sources of ADD and of named contexts: URLs and git repositories. */

import { isDigest } from "../../../lib/model/digest.ts";
import { isCommit, type RemoteSource } from "../../../lib/model/source.ts";
import { faultAt, type Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";
import { type GitUrl, GitUrlError, isGitUrl, parseGitUrl } from "./git_url.ts";
import type { Options } from "./options.ts";

/** What one remote source of ADD is, and which part of it is added. */
export type Remote =
  | {
    readonly kind: "http";
    readonly source: RemoteSource;
    /** Name of the file, for a destination that is a folder. */
    readonly file: string;
  }
  | {
    readonly kind: "git";
    readonly source: RemoteSource;
    /** Folder of the repository; empty for its root. */
    readonly subdir: string;
  };

/** What a file is called whose URL has no name for it, as BuildKit calls it. */
const UNNAMED = "__unnamed__";

/** A problem with a remote source, without its place. */
class RemoteError extends Error {
  constructor(message: string, readonly next: string) {
    super(message);
  }
}

/** Says whether ADD would fetch this source: a URL, or a git repository. */
export function isRemote(source: string): boolean {
  return /^https?:\/\//.test(source) || isGitUrl(source);
}

/** A source of ADD with its variables expanded, and the flags that say more of it. */
export interface RemoteWord {
  readonly instruction: Instruction;
  /** As it is written. */
  readonly written: string;
  readonly expanded: string;
  /** Expanded value of `--checksum`. */
  readonly checksum: string | undefined;
}

/**
 * The remote source that a word of ADD names.
 *
 * @throws {Fault} with the line, for bad URLs and checksums.
 */
export function remoteOf(word: RemoteWord, options: Options, file: Source): Remote {
  const { instruction, written, expanded, checksum } = word;
  // Values of host variables may be secrets: where there are any, a URL is told as it is written.
  const isSecret = options.hostArgs.size > 0 && written.includes("$");
  const name = isSecret ? `${written} (line ${instruction.line})` : undefined;
  try {
    const remote = isGitUrl(expanded)
      ? gitOf({ ...parseGitUrl(expanded), ...gitFlags(instruction, expanded, checksum) })
      : httpOf(expanded, checksum);
    if (name === undefined) return remote;
    return { ...remote, source: { ...remote.source, name, secret: true } };
  } catch (error) {
    if (!(error instanceof RemoteError || error instanceof GitUrlError)) throw error;
    throw faultAt(file, instruction, `Cannot add ${name ?? expanded}: ${error.message}`, {
      word: written,
      next: error instanceof RemoteError ? error.next : "write it as URL.git#REF:FOLDER",
      cause: error,
    });
  }
}

/** The repository of a named context, and the folder in it. @throws {GitUrlError} */
export function gitContext(text: string): Remote & { readonly kind: "git" } {
  return gitOf(parseGitUrl(text));
}

function httpOf(expanded: string, checksum: string | undefined): Remote {
  if (!URL.canParse(expanded) || /^https?:\/\/[/?#]/.test(expanded)) {
    throw new RemoteError("it names no host", "correct the URL, or give its variables values");
  }
  const url = new URL(expanded);
  if (url.username !== "" || url.password !== "") {
    throw new RemoteError(
      "it holds a user's name or password, which would be in the image's history",
      "fetch it with a task, or name a URL that needs no credentials",
    );
  }
  if (checksum !== undefined && !isDigest(checksum)) {
    throw new RemoteError(
      `"${checksum}" is no checksum of a file`,
      'write --checksum=sha256: and 64 hex digits, as "sha256sum" prints them',
    );
  }
  url.hash = "";
  return {
    kind: "http",
    file: fileName(url),
    source: {
      kind: "http",
      name: url.href,
      url: url.href,
      ...(checksum === undefined ? {} : { fixed: checksum }),
    },
  };
}

/** The last part of the path, as BuildKit takes it: after its escapes are read. */
function fileName({ pathname }: URL): string {
  let path = pathname;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    // It is no escape, then, but the name's own.
  }
  const base = path.split("/").findLast((part) => part !== "") ?? "";
  return base === "" || base === "." || base === ".." || base.includes("\0") ? UNNAMED : base;
}

function gitOf(git: GitUrl): Remote & { readonly kind: "git" } {
  const { url, ref, subdir = "", checksum, keepGitDir, submodules } = git;
  if (checksum !== undefined && !/^[0-9a-f]{7,64}$/.test(checksum)) {
    throw new RemoteError(
      `"${checksum}" is no commit`,
      "write the commit's hash, at least seven hex digits of it",
    );
  }
  const commit = [ref, checksum].find((each) => each !== undefined && isCommit(each));
  if (commit !== undefined && checksum !== undefined && !commit.startsWith(checksum)) {
    throw new RemoteError(`${commit} is not the commit ${checksum}`, "correct one of the two");
  }
  const source: RemoteSource = {
    kind: "git",
    name: ref === undefined ? url : `${url}#${ref}`,
    url,
    ...(ref === undefined ? {} : { ref }),
    ...(commit === undefined ? {} : { fixed: `commit:${commit}` as const }),
    ...(checksum === undefined ? {} : { expected: checksum }),
    // As BuildKit: what is below a folder has no repository beside it.
    ...(keepGitDir && cleanSubdir(subdir) === "" ? { keepGitDir } : {}),
    ...(submodules === false ? { skipSubmodules: true } : {}),
  };
  return { kind: "git", source, subdir: cleanSubdir(subdir) };
}

function gitFlags(
  { options }: Instruction,
  expanded: string,
  checksum: string | undefined,
): Partial<GitUrl> {
  const known = parseGitUrl(expanded);
  const keep = options["keep-git-dir"]?.[0];
  if (
    keep !== undefined && known.keepGitDir !== undefined && known.keepGitDir !== (keep === "true")
  ) {
    throw new GitUrlError("--keep-git-dir and keep-git-dir say different things");
  }
  if (checksum !== undefined && known.checksum !== undefined && known.checksum !== checksum) {
    throw new GitUrlError(`it names the commit ${known.checksum}, and --checksum another`);
  }
  return {
    ...(keep === undefined ? {} : { keepGitDir: keep === "true" }),
    ...(checksum === undefined ? {} : { checksum }),
  };
}

/** A folder without `.` and `..`: nothing leads out of the repository. */
function cleanSubdir(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}
