/**
 * References to git repositories as ADD and named contexts take them.
 *
 * @see https://docs.docker.com/build/concepts/context/#url-fragments
 */

/** A reference to files of a repository. */
export interface GitUrl {
  /** What git is given. */
  readonly url: string;
  /** Branch, tag, `refs/…` or commit. */
  readonly ref?: string;
  /** Folder below the repository's root. */
  readonly subdir?: string;
  readonly checksum?: string;
  readonly keepGitDir?: boolean;
  readonly submodules?: boolean;
}

/** A parameter that a query cannot have, or two that say different things. */
export class GitUrlError extends Error {
  override readonly name = "GitUrlError";
}

/** As ssh takes it, `git@host:path`. */
const SCP_LIKE = /^\w[\w.-]*@\w[\w.-]*:[^\s-]/;

/** Says whether a text names a git repository: a web address does by its ending `.git`. */
export function isGitUrl(text: string): boolean {
  const [, scheme, rest = ""] = /^(https?|ssh|git):\/\/([^]*)$/.exec(text) ?? [];
  if (scheme === undefined) return SCP_LIKE.test(text);
  return scheme === "ssh" || scheme === "git" || /^[^?#]*\.git(?:[?#]|$)/.test(rest);
}

/**
 * Reads a git URL with its `#ref:subdir` or `?ref=…&subdir=…`.
 *
 * @throws {GitUrlError} for what it cannot say.
 */
export function parseGitUrl(text: string): GitUrl {
  const hash = text.indexOf("#");
  const beforeHash = hash < 0 ? text : text.slice(0, hash);
  const mark = beforeHash.indexOf("?");
  const url = mark < 0 ? beforeHash : beforeHash.slice(0, mark);
  const queried = mark < 0 ? {} : readQuery(beforeHash.slice(mark + 1));
  if (hash < 0) return { url, ...queried };
  const fragment = text.slice(hash + 1);
  if (mark >= 0 && fragment !== "") {
    throw new GitUrlError("it has a query and a fragment; write all of it in one of them");
  }
  const colon = fragment.indexOf(":");
  const ref = colon < 0 ? fragment : fragment.slice(0, colon);
  const subdir = colon < 0 ? "" : fragment.slice(colon + 1);
  return { url, ...queried, ...(ref === "" ? {} : { ref }), ...(subdir === "" ? {} : { subdir }) };
}

function readQuery(query: string): Omit<GitUrl, "url"> {
  const known: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (known[name] !== undefined && known[name] !== value) {
      throw new GitUrlError(`"${name}" is given twice`);
    }
    known[name] = value;
  }
  const { ref, branch, tag, subdir, checksum, commit, ...others } = known;
  const { "keep-git-dir": keep, submodules, ...unknown } = others;
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw new GitUrlError(`it has no parameter "${name}"`);
  const refs = [
    ...(ref ? [ref] : []),
    ...(branch ? [`refs/heads/${branch}`] : []),
    ...(tag ? [`refs/tags/${tag}`] : []),
  ];
  if (refs.length > 1) throw new GitUrlError("it names several refs");
  if (checksum && commit && checksum !== commit) throw new GitUrlError("it names two commits");
  const sum = checksum || commit;
  return {
    ...(refs[0] === undefined ? {} : { ref: refs[0] }),
    ...(subdir ? { subdir } : {}),
    ...(sum ? { checksum: sum } : {}),
    ...(keep === undefined ? {} : { keepGitDir: switchOf("keep-git-dir", keep) }),
    ...(submodules === undefined ? {} : { submodules: switchOf("submodules", submodules) }),
  };
}

function switchOf(name: string, value: string): boolean {
  if (/^(?:|1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw new GitUrlError(`"${name}" cannot be "${value}"`);
}
