/**
 * Files that git ignores and that enter a key all the same: another checkout does not have them, so
 * that its key is another one. They are looked for only where an image must be built, or in a plan.
 */

import { anyOf } from "../files/match.ts";
import { fixedPart } from "../files/selection.ts";
import { ancestorsOf } from "../files/way.ts";
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
  if (!isInRepository(project.root)) return;
  const { entries } = await keyTree(session.circumstances, prepared);
  // Git knows no folders; one that is empty may be that of outputs, which a task's key stands for.
  const files = entries.filter(({ path, type }) => type !== "directory" && !path.startsWith("../"))
    .map(({ path }) => path);
  const folders = new Set(files.flatMap((path) => ancestorsOf(path).slice(0, -1)));
  const nested = [...folders].filter((folder) => exists(`${project.root}/${folder}/.git`));
  const paths = files.filter((path) => !nested.some((folder) => path.startsWith(`${folder}/`)));
  const ignored = await ignoredAmong(project.root, paths, session.signal);
  if (ignored.length === 0) return;
  const { message, next } = await describe(prepared, ignored);
  const { id } = prepared.node;
  if (session.settings.strictInputs) throw new Fault(message, { where: id, next });
  session.notice(`${message}; ${next}`, id);
}

function isInRepository(root: string): boolean {
  return ["", ...ancestorsOf(root.slice(1)).map((path) => `/${path}`)].some((folder) =>
    exists(`${folder}/.git`)
  );
}

/** What git ignores of files: their outermost folders, or they; nothing where it cannot tell. */
async function ignoredAmong(
  root: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const asked = new Set([".", ...paths.flatMap(ancestorsOf)]);
  const stdin = new TextEncoder().encode([...asked].map((path) => `./${path}\0`).join(""));
  const answer = await askGit(root, ["check-ignore", "--stdin", "-z"], signal, stdin);
  if (answer?.code !== 0) return [];
  const ignored = new Set(answer.stdout.split("\0").map((path) => path.slice("./".length)));
  // A project that is ignored itself, such as one among the outputs of another, is in no checkout.
  if (ignored.delete(".")) return [];
  return [
    ...new Set(paths.flatMap((path) => ancestorsOf(path).find((it) => ignored.has(it)) ?? [])),
  ];
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
