/**
 * Commits of git repositories, by the machine's git. It gets nothing of the user's configuration:
 * no hooks, no filters, no stored credentials; a question to a user is a refusal.
 */

import { Fault, unavailableFault } from "../model/errors.ts";
import { isCommit } from "../model/source.ts";
import { runProcess } from "../process/run.ts";
import { exists } from "../store/state.ts";
import { which } from "../process/which.ts";

/** Transports that a URL, or a submodule's, may name. */
const REMOTE = "https:http:ssh:git";

/** What git may see of our environment: the network, authorities, and keys that ssh knows. */
const HANDED_ON = [
  ...["PATH", "HOME", "USER", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  ...["http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"],
  ...["NO_PROXY", "ALL_PROXY", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"],
];

/** Settings that what was fetched cannot change. */
const SETTINGS = [
  ...["core.hooksPath=/dev/null", "core.fsmonitor=false", "core.attributesFile=/dev/null"],
  ...["core.autocrlf=false", "core.symlinks=true", "core.fileMode=true", "credential.helper="],
  ...["init.defaultBranch=main", "advice.detachedHead=false", "gc.auto=0"],
  ...["maintenance.auto=false"],
].flatMap((setting) => ["-c", setting]);

/** What git notes in a repository of what was done, and when. */
const MOMENTARY = [
  ...["logs", "hooks", "FETCH_HEAD", "ORIG_HEAD", "description", "branches", "info"],
];

/** A git URL without a scheme, as ssh takes it: `git@host:path`. */
const SCP_LIKE = /^\w[\w.-]*@\w[\w.-]*:[^\s-]/;

/** How git ended. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: readonly string[];
}

/** How git is run. */
interface GitOptions {
  readonly signal: AbortSignal;
  readonly cwd?: string;
  /** Transports that may be used. @default those of remote repositories */
  readonly protocols?: string;
}

/** Which repository is asked, and for how long. */
export interface GitRemote {
  readonly url: string;
  /** How it is called in faults. */
  readonly name: string;
  readonly ref?: string | undefined;
  readonly signal: AbortSignal;
}

/** Runs git without anything of the user's but keys of ssh. */
async function runGit(args: readonly string[], options: GitOptions): Promise<Ended> {
  const { signal, cwd, protocols = REMOTE } = options;
  if (which("git") === undefined) {
    throw unavailableFault("Git sources need git, which is not installed", { next: "install git" });
  }
  const stderr: string[] = [];
  const { code, stdout } = await runProcess(["git", ...SETTINGS, ...args], {
    allowFailure: true,
    capture: true,
    clearEnv: true,
    env: environment(protocols),
    signal,
    onLine: (line) => {
      if (stderr.length < 100) stderr.push(line);
      return false;
    },
    ...(cwd === undefined ? {} : { cwd }),
  });
  return { code, stdout, stderr };
}

/**
 * The commit that a branch or tag of a repository is now; of a name that is both, the branch.
 *
 * @throws {Fault} where there is none, or the repository cannot be reached.
 */
export async function resolveRef(remote: GitRemote): Promise<string> {
  const { url, ref = "HEAD", name, signal } = remote;
  refuseUnsafe(remote);
  if (isCommit(ref)) return ref;
  const answer = await runGit(["ls-remote", "--", url, ref, `${ref}^{}`], { signal });
  if (answer.code !== 0) throw cannotRead(name, answer);
  const found = new Map<string, string>();
  for (const line of answer.stdout.split("\n")) {
    const [commit = "", full = ""] = line.split("\t");
    if (isCommit(commit)) found.set(full, commit);
  }
  const names = [ref, `refs/${ref}`, `refs/heads/${ref}`, `refs/tags/${ref}`];
  const hit = names.find((each) => found.has(each));
  if (hit !== undefined) return found.get(`${hit}^{}`) ?? found.get(hit)!;
  throw new Fault(`There is no branch or tag "${ref}" at ${url}`, {
    where: name,
    next: /^[0-9a-f]{7,39}$/.test(ref)
      ? "write the commit in full, or name a branch or tag"
      : "correct the ref, or push it first",
  });
}

/** What a commit is fetched into and checked out to; paths are absolute. */
export interface GitCheckout extends GitRemote {
  readonly commit: string;
  /** A bare repository that is kept; it may not be there yet. */
  readonly repository: string;
  /** Where nothing is yet. */
  readonly to: string;
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
}

/**
 * Fetches a commit and lays its files out.
 *
 * @throws {Fault} where the repository does not hold the commit, or cannot be reached.
 */
export async function checkOut(checkout: GitCheckout): Promise<void> {
  const { repository, to, commit, url, name, signal } = checkout;
  refuseUnsafe(checkout);
  await bringCommit(checkout);
  const must = async (args: readonly string[], protocols = REMOTE) => {
    const answer = await runGit(args, { signal, cwd: to, protocols });
    if (answer.code !== 0) throw cannotRead(name, answer);
  };
  Deno.mkdirSync(to, { recursive: true, mode: 0o755 });
  await must(["init", "--quiet", "--template=", ...formatFlag(commit)]);
  // Through the file transport: a local clone may share files, and follow links.
  const from = ["--", `file://${repository}`, commit];
  await must(["fetch", "--quiet", "--depth=1", "--no-tags", ...from], "file");
  await must(["checkout", "--quiet", "--force", "--detach", commit]);
  await must(["remote", "add", "origin", url]);
  if (checkout.submodules && exists(`${to}/.gitmodules`)) {
    await must(["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"]);
  }
  if (!checkout.keepGitDir) return withoutGit(to);
  // An index without times and inodes of this machine.
  await must(["read-tree", commit]);
  if (checkout.submodules) {
    await must(["submodule", "--quiet", "foreach", "--recursive", "git read-tree HEAD"]);
  }
  tidyGitDir(`${to}/.git`);
}

/** Brings a commit into the kept repository, with as little else as the server allows. */
async function bringCommit(checkout: GitCheckout): Promise<void> {
  const { repository, commit, url, ref, name, signal } = checkout;
  const git = (...args: string[]) => runGit(["--git-dir", repository, ...args], { signal });
  const isHere = async () => (await git("cat-file", "-e", `${commit}^{commit}`)).code === 0;
  if (exists(repository) && await isHere()) return;
  if ((await git("rev-parse", "--is-bare-repository")).code !== 0) {
    await Deno.remove(repository, { recursive: true }).catch(() => {});
    const made = await runGit(
      ["init", "--quiet", "--bare", "--template=", ...formatFlag(commit), "--", repository],
      { signal },
    );
    if (made.code !== 0) throw cannotRead(name, made);
    await git("config", "uploadpack.allowAnySHA1InWant", "true");
  }
  const kept = `refs/images/${commit}`;
  const ways = [
    ["--depth=1", "--no-tags", "--", url, `+${commit}:${kept}`],
    ...(ref === undefined ? [] : [["--depth=1", "--no-tags", "--", url, ref]]),
    // Servers without shallow fetches, and commits that no name stands for any more.
    ["--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"],
  ];
  let last: Ended | undefined;
  for (const way of ways) {
    last = await git("fetch", "--quiet", "--no-recurse-submodules", ...way);
    if (!await isHere()) continue;
    await git("update-ref", kept, commit);
    return;
  }
  if (last?.code !== 0) throw cannotRead(name, last!);
  throw new Fault(`${url} does not hold the commit ${commit} any more`, {
    where: name,
    next: "run with --pull, or `images pin --update` where it is pinned",
  });
}

/** Removes the repository of a checkout, and what leads to those of submodules. */
function withoutGit(folder: string): void {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (name === ".git") removeAll(`${folder}/${name}`);
    else if (isDirectory) withoutGit(`${folder}/${name}`);
  }
}

/** Removes what hangs on the machine or the moment from a repository and those of its submodules. */
function tidyGitDir(path: string): void {
  for (const name of MOMENTARY) removeAll(`${path}/${name}`);
  const walk = (folder: string) => {
    for (const { name, isDirectory } of entriesOf(folder)) {
      const below = `${folder}/${name}`;
      if (isDirectory) exists(`${below}/HEAD`) ? tidyGitDir(below) : walk(below);
    }
  };
  walk(`${path}/modules`);
}

function entriesOf(folder: string): Deno.DirEntry[] {
  return exists(folder) ? [...Deno.readDirSync(folder)] : [];
}

/** Refuses what git could take for an option, or would show in its arguments. */
function refuseUnsafe({ url, ref = "", name }: GitRemote): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isKnown = SCP_LIKE.test(url) ||
    (parsed !== undefined && REMOTE.split(":").includes(parsed.protocol.slice(0, -1)) &&
      /^[\w.[]/.test(parsed.hostname));
  if (!isKnown || ref.startsWith("-") || /[\s\0]/.test(url + ref)) {
    throw new Fault(`${name} names no git repository that may be fetched`, {
      next: "write it as https://HOST/PATH.git#REF or git@HOST:PATH#REF",
    });
  }
  const isWeb = parsed?.protocol === "https:" || parsed?.protocol === "http:";
  if (parsed !== undefined && (parsed.password !== "" || (isWeb && parsed.username !== ""))) {
    throw new Fault("A git URL holds a user's name or password", {
      where: parsed.host,
      next: "use ssh with a key, or fetch it with a task",
    });
  }
}

function cannotRead(name: string, { stderr }: Ended): Fault {
  const lines = stderr.map((line) => line.trim()).filter((line) => line !== "");
  const told = lines.find((line) => /^(?:fatal|error|ERROR):/.test(line)) ?? lines.at(-1) ?? "";
  const why = told.replace(/^(?:fatal|error|ERROR): */, "") || "git gives no reason";
  const isUnreachable =
    /Could not resolve|Connection refused|Connection timed out|unable to access/i
      .test(lines.join("\n")) && !/returned error: [45]/.test(lines.join("\n"));
  const options = {
    where: name,
    next: "check the URL, the network, and that no password is needed",
  };
  const message = `git cannot read the repository: ${why}`;
  return isUnreachable ? unavailableFault(message, options) : new Fault(message, options);
}

function removeAll(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function formatFlag(commit: string): string[] {
  return commit.length === 64 ? ["--object-format=sha256"] : [];
}

function environment(protocols: string): Record<string, string> {
  const own = HANDED_ON.flatMap((name): [string, string][] => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(own),
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    SSH_ASKPASS: "",
    GIT_SSH_COMMAND: "ssh -o BatchMode=yes",
    GIT_ALLOW_PROTOCOL: protocols,
  };
}
