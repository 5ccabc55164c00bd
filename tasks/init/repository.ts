/** The files of a repository: what git knows, or else what is there. */

import { askGit } from "../../lib/process/git.ts";
import { publicAddress } from "../../lib/registry/publish/git_facts.ts";
import { readRegularText } from "../../lib/util/regular_file.ts";

/** Folders that hold what others wrote, what was built, or what only tests build. */
const NOT_OURS = new Set([
  ...["node_modules", "vendor", "third_party", ".git", ".images", ".direnv", ".devcontainer"],
  ...["test", "tests", "testdata", "fixtures", "e2e", "example", "examples"],
]);

/** How deep folders are followed where git does not tell. */
const DEPTH = 8;

/** A repository that is looked at. */
export interface Repository {
  /** Absolute path of the folder that images.ts is written to. */
  readonly root: string;
  /** What it is called: by its remote, else by its folder. */
  readonly title: string;
  /** Paths below it, sorted. */
  readonly files: readonly string[];
  /** Its text, or nothing where it cannot be read. */
  read(path: string): string;
  /** Paths that are not ours: of tests, examples and what others wrote. */
  readonly others: readonly string[];
  /** Address of the remote `origin`, as git has it. */
  readonly remote?: string;
  /** The remote's host and what its path has in front of the title, e.g. `acme/shops`. */
  readonly host?: string;
  readonly owner?: string;
}

/** Looks at a folder. */
export async function openRepository(root: string): Promise<Repository> {
  const tracked = await answer(root, [
    "ls-files",
    "-z",
    "--cached",
    "--others",
    "--exclude-standard",
  ]);
  const all = tracked === undefined ? [...walk(root, "", DEPTH)] : tracked.split("\0");
  const remote = (await answer(root, ["remote", "get-url", "origin"]))?.trim();
  const paths = [...new Set(all)].filter((path) => path !== "").sort();
  return {
    root,
    title: fileOf(remote || root).replace(/\.git$/, ""),
    files: paths.filter(isOurs),
    others: paths.filter((path) => !isOurs(path)),
    read: (path) => readText(`${root}/${path}`),
    ...(remote ? { remote, ...placeOf(remote) } : {}),
  };
}

function placeOf(remote: string): Pick<Repository, "host" | "owner"> {
  const address = publicAddress(remote);
  if (address === undefined) return {};
  const { hostname, pathname } = new URL(address);
  const owner = folderOf(pathname.slice(1));
  return { host: hostname, ...(owner === "." ? {} : { owner }) };
}

async function answer(root: string, args: readonly string[]): Promise<string | undefined> {
  const found = await askGit(root, args);
  return found?.code === 0 ? found.stdout : undefined;
}

function isOurs(path: string): boolean {
  return !path.split("/").slice(0, -1).some((part) =>
    NOT_OURS.has(part) || part.startsWith("bazel-") || part.startsWith("testfiles")
  );
}

function* walk(root: string, below: string, depth: number): Generator<string> {
  for (const entry of Deno.readDirSync(`${root}/${below}`)) {
    const path = `${below}${entry.name}`;
    if (entry.isFile) yield path;
    else if (entry.isDirectory && depth > 0 && isOurs(`${path}/`)) {
      yield* walk(root, `${path}/`, depth - 1);
    }
  }
}

function readText(path: string): string {
  try {
    return readRegularText(path);
  } catch {
    return "";
  }
}

/** The folder of a path; `.` for what is at the top. */
export function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
}

/** The last part of a path. */
export function fileOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** A path below a folder, without `./` and `..` inside. */
export function joined(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${folder}/${path}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/") || ".";
}
