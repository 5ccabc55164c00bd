/**
 * Files that git ignores and that enter a key all the same: another checkout does not have them, so
 * that its key is another one. They are looked for only where an image must be built, or in a plan.
 */

import { anyOf } from "../files/match.ts";
import { fixedPart } from "../files/selection.ts";
import { ancestorsOf, realPath } from "../files/way.ts";
import { Fault } from "../model/errors.ts";
import { keyTree, type PreparedImage } from "../plan/evaluate_image.ts";
import { askGit } from "../process/git.ts";
import { exists } from "../store/state.ts";
import type { Session } from "./session.ts";

/** The most paths that are named. */
const NAMED = 3;

/**
 * Tells people what is odd about an image's inputs: files that git ignores, and files that count as a
 * whole although only a part of them was to count.
 *
 * @throws {Fault} for ignored files, where `--strict-inputs` was given.
 */
export async function noteOddInputs(session: Session, prepared: PreparedImage): Promise<void> {
  const { node: { id, image }, identity, projections } = prepared;
  // What a tool has found stands in the key, not the files here.
  if (identity !== undefined) return;
  const { circumstances: { index } } = session;
  if (projections.length > 0) {
    await keyTree(session.circumstances, prepared);
    for (const path of new Set(projections.map(({ path }) => path))) {
      const why = index.wholeFiles.get(path);
      if (why !== undefined) session.notice(`All of ${path} counts in its key: ${why}`, id);
    }
  }
  // Platforms of an image have the same files, as a rule.
  await session.once(`ignored inputs of ${image.name}`, () => noteIgnored(session, prepared));
}

async function noteIgnored(session: Session, prepared: PreparedImage): Promise<void> {
  const { circumstances: { project } } = session;
  const { entries } = await keyTree(session.circumstances, prepared);
  // Git knows no folders; one that is empty may be that of outputs, which a task's key stands for.
  const paths = entries.filter(({ path, type }) => type !== "directory" && !path.startsWith("../"))
    .map(({ path }) => path);
  const ignored: string[] = [];
  for (const [repository, files] of byRepository(project.root, paths)) {
    ignored.push(...await ignoredAmong(repository, files, session.signal));
  }
  if (ignored.length === 0) return;
  const { message, next } = await describe(prepared, ignored);
  const { id } = prepared.node;
  if (session.settings.strictInputs) throw new Fault(message, { where: id, next });
  session.notice(`${message}; ${next}`, id);
}

/** A file by its path from images.ts' folder, and by that from the top of its repository. */
interface RepositoryFile {
  readonly path: string;
  readonly inRepository: string;
}

/** Files by the repository that each is in: git knows nothing of others', nor beyond links. */
function byRepository(
  root: string,
  paths: readonly string[],
): ReadonlyMap<string, readonly RepositoryFile[]> {
  const realFolder = memo((folder: string) => realPath(`${root}/${folder}`));
  const repositoryOf = memo((folder: string): string | undefined => {
    if (exists(`${folder}/.git`)) return folder;
    return folder === "" ? undefined : repositoryOf(folder.slice(0, folder.lastIndexOf("/")));
  });
  const found = new Map<string, RepositoryFile[]>();
  for (const path of paths) {
    const end = path.lastIndexOf("/");
    const folder = realFolder(path.slice(0, Math.max(0, end)));
    const repository = folder === undefined ? undefined : repositoryOf(folder);
    if (folder === undefined || repository === undefined) continue;
    const inRepository = `${folder}/${path.slice(end + 1)}`.slice(repository.length + 1);
    const others = found.get(repository);
    if (others === undefined) found.set(repository, [{ path, inRepository }]);
    else others.push({ path, inRepository });
  }
  return found;
}

function memo<T>(make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    if (!known.has(key)) known.set(key, make(key));
    return known.get(key)!;
  };
}

/** What git ignores of files: their outermost folders, or they; nothing where it cannot tell. */
async function ignoredAmong(
  repository: string,
  files: readonly RepositoryFile[],
  signal: AbortSignal,
): Promise<string[]> {
  const asked = new Set(files.flatMap(({ inRepository }) => ancestorsOf(inRepository)));
  const stdin = new TextEncoder().encode([...asked].map((path) => `./${path}\0`).join(""));
  const answer = await askGit(repository, ["check-ignore", "--stdin", "-z"], signal, stdin);
  if (answer?.code !== 0) return [];
  const ignored = new Set(answer.stdout.split("\0").map((path) => path.slice("./".length)));
  // In a folder that is ignored there may be files that git tracks all the same.
  const tracked = files.filter(({ inRepository }) => !ignored.has(inRepository));
  const mixed = new Set(tracked.flatMap(({ inRepository }) => ancestorsOf(inRepository)));
  const outermost = files.flatMap(({ path, inRepository }) => {
    if (!ignored.has(inRepository)) return [];
    const parents = ancestorsOf(inRepository);
    const at = parents.findIndex((each) => ignored.has(each) && !mixed.has(each));
    // A project that is ignored itself, such as one among the outputs of another, is in no checkout.
    return ancestorsOf(path).at(at - parents.length) ?? [];
  });
  return [...new Set(outermost)];
}

async function describe(
  { node: { image }, description: { ignoreFiles = {} } }: PreparedImage,
  ignored: readonly string[],
): Promise<{ message: string; next: string }> {
  const globs = image.common.inputs.filter((glob) => !glob.startsWith("!"));
  const isOwn = await anyOf(globs);
  const lines = new Map<string, string[]>();
  const add = (file: string, line: string) => lines.set(file, [...lines.get(file) ?? [], line]);
  for (const path of ignored) {
    const folder = Object.keys(ignoreFiles).filter((each) => isBelow(path, each))
      .sort((a, b) => b.length - a.length)[0];
    const isInput = ancestorsOf(path).some(isOwn) ||
      globs.some((glob) => isBelow(fixedPart(glob), path));
    if (isInput) add("its inputs", `!${path}`);
    else if (folder !== undefined) {
      add(ignoreFiles[folder]!, folder === "." ? path : path.slice(folder.length + 1));
    } else add("", path);
  }
  const shown = ignored.slice(0, NAMED).join(", ");
  const more = ignored.length > NAMED ? ` and ${ignored.length - NAMED} more` : "";
  return {
    message: `Git ignores ${shown}${more}, which its key holds: other checkouts have another key`,
    next: [...lines].map(([file, all]) => adviceFor(file, all)).join("; "),
  };
}

function adviceFor(file: string, lines: readonly string[]): string {
  if (file === "") return "commit them, let a task make them, or name what is copied more narrowly";
  const shown = lines.slice(0, NAMED).map((line) => `"${line}"`).join(", ");
  return `add ${shown}${lines.length > NAMED ? ", …" : ""} to ${file}`;
}

function isBelow(path: string, folder: string): boolean {
  return folder === "." || path === folder || path.startsWith(`${folder}/`);
}
