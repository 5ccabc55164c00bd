/** Carrying out one COPY or ADD. */

import { Fault } from "../../../lib/model/errors.ts";
import { hasWildcard, IgnorePatterns } from "../plan/match.ts";
import { isRemote } from "../plan/remote.ts";
import {
  excludePatterns,
  isHeredoc,
  parentsSource,
  pathArguments,
  sourcePattern,
} from "../plan/sources.ts";
import { faultAt, type Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";
import { parseHeredoc } from "../syntax/statements.ts";
import type { Unpacker } from "./archive.ts";
import { workingFolder } from "./config.ts";
import { type CopyRules, copySource, copyWithParents, findSources } from "./copy.ts";
import { chmodChange, chownOwner, type ReadText } from "./owner.ts";
import { folderOf, PLAIN_FOLDER, Rootfs, splitPath, TreeConflict } from "./rootfs.ts";
import type { RemoteTree } from "./remote_tree.ts";
import type { StageState } from "./stage.ts";

/** A remote source of ADD, and how the history tells it. */
export interface FetchedWord extends RemoteTree {
  readonly shown: string;
}

/** What a COPY or ADD works with. */
export interface CopyWork {
  readonly instruction: Instruction;
  readonly source: Source;
  readonly stage: StageState;
  /** Where it reads, and what that is called in faults. */
  readonly from: Rootfs;
  readonly fromName: string;
  /** What to do about a source that is not there. */
  readonly missing: string;
  readonly unpacker: Unpacker;
  /** Fetches what ADD names elsewhere: a word as it is written, and with its variables expanded. */
  readonly fetch: (written: string, expanded: string) => Promise<FetchedWord>;
  /** Reads a text file of the image that is being built. */
  readonly read: ReadText;
  /** Tells people what they may not expect. */
  readonly notice: (message: string) => void;
}

/**
 * Carries out a COPY or ADD in the stage.
 *
 * @param created time of the history's entry.
 * @throws {Fault} with the line, for sources that are not there and names in each other's way.
 */
export async function carryOutCopy(work: CopyWork, created: string): Promise<void> {
  const { instruction, source, stage } = work;
  // As BuildKit, which makes no layer of its own where modes change.
  const { link, chmod } = instruction.options;
  const isLinked = link?.[0] === "true" && chmod === undefined;
  const tree = isLinked ? new Rootfs() : await stage.tree();
  try {
    const line = await copyAll(work, tree);
    if (isLinked) stage.commitLinked(tree, line, created);
    else stage.commitTree(tree, line, created);
  } catch (error) {
    if (!(error instanceof TreeConflict)) throw error;
    throw faultAt(source, instruction, `Cannot copy: ${error.message}`, {
      next: "change the destination, or what is copied there",
      cause: error,
    });
  }
}

async function copyAll(work: CopyWork, tree: Rootfs): Promise<string> {
  const { instruction, stage, source } = work;
  const { scope } = stage;
  const expand = (word: string) => scope.expand(word, instruction);
  const to = expand(instruction.args.at(-1)!);
  const rules = await rulesOf(work, to);
  const written = pathArguments(instruction);
  const words = written.map(expand);
  const isFetched = (word: string) => instruction.keyword === "ADD" && isRemote(word);
  const documents = instruction.args.slice(0, -1).filter((word) => isHeredoc(instruction, word));
  if (instruction.options["checksum"] !== undefined && !words.every(isFetched)) {
    throw faultAt(source, instruction, "--checksum needs a URL or a git repository", {
      word: "--checksum",
      next: "remove the flag: local files are part of the image's key",
    });
  }
  const many = words.length + documents.length > 1;
  const shown: string[] = [];
  let found = 0;
  for (const [at, word] of words.entries()) {
    if (isFetched(word)) {
      const fetched = await work.fetch(written[at]!, word);
      await copyFetched(work, word, fetched, tree, rules, many);
      shown.push(fetched.shown);
      found++;
    } else {
      found += await copyWord(work, word, tree, rules, many);
      shown.push(word);
    }
  }
  if (found === 0 && documents.length === 0) {
    // An optional file is written as a pattern: `COPY config* /etc/`.
    const place = `${source.file}:${instruction.line}`;
    work.notice(
      `${place}: nothing in ${work.fromName} matches ${words.join(" ")}: nothing is copied`,
    );
  }
  for (const word of documents) {
    if (many) checkIsFolder(work, word, tree, rules);
    copyDocument(work, word, tree, rules);
  }
  return historyLine(work, shown, documents, to);
}

async function rulesOf(work: CopyWork, written: string): Promise<CopyRules> {
  const { instruction, stage, source, read } = work;
  const { options } = instruction;
  const value = (name: string) => {
    const text = options[name]?.[0];
    const expanded = text === undefined ? "" : stage.scope.expand(text, instruction);
    return expanded === "" ? undefined : expanded;
  };
  const exclude = excludePatterns(instruction, source);
  const chown = value("chown");
  const chmod = value("chmod");
  const to = workingFolder(stage.draft.config, written);
  const isFolder = /(?:^|\/)\.?$/.test(written);
  return {
    to: isFolder && to !== "/" ? `${to}/` : to,
    ...(chown === undefined ? {} : { owner: await chownOwner(chown, instruction, source, read) }),
    ...(chmod === undefined ? {} : { mode: chmodChange(chmod, instruction, source) }),
    ...(exclude.length === 0 ? {} : { exclude: new IgnorePatterns(exclude) }),
  };
}

/** Adds what was fetched: a file under its name, unpacked only if `--unpack` says so; a folder's files. */
async function copyFetched(
  work: CopyWork,
  word: string,
  { tree: from, path, file }: FetchedWord,
  tree: Rootfs,
  rules: CopyRules,
  many: boolean,
): Promise<void> {
  if (file !== undefined && work.instruction.options["unpack"]?.[0] === "true") {
    const unpacked = await work.unpacker.unpack(file, tree, rules)
      .catch((error) => {
        throw damagedArchive(work, word, error);
      });
    if (unpacked) return;
  }
  if (many && file !== undefined) checkIsFolder(work, word, tree, rules);
  copySource(from, path, tree, rules);
}

/** Copies what one source names; gives how many it names. */
async function copyWord(
  work: CopyWork,
  word: string,
  tree: Rootfs,
  rules: CopyRules,
  many: boolean,
): Promise<number> {
  const { instruction, source, from, fromName, unpacker } = work;
  if (instruction.options["parents"]?.[0] === "true") {
    const { start, pattern } = parentsSource(word, instruction, source);
    const starts = followed(work, word, () => findSources(from, start));
    let count = 0;
    for (const path of starts) count += copyWithParents(from, path, pattern, tree, rules);
    if (count === 0 && !hasWildcard(word)) throw missingSource(work, word);
    return count;
  }
  const pattern = sourcePattern(word, instruction, source);
  const paths = followed(work, word, () => findSources(from, pattern));
  // What is left out by its own name is in no key, and so not in the context here.
  const isExcluded = rules.exclude?.hides(pattern.slice(pattern.lastIndexOf("/") + 1)) ?? false;
  if (paths.length === 0 && !hasWildcard(pattern) && !isExcluded) throw missingSource(work, word);
  const unpacks = instruction.keyword === "ADD" && instruction.options["unpack"]?.[0] !== "false";
  for (const path of paths) {
    const { node } = followed(work, word, () => from.resolve(path));
    if (node === undefined) {
      throw brokenLink(work, word, `${path.slice(1)} is a link to what is not in ${fromName}`);
    }
    const isOut = node.type !== "directory" && rules.exclude?.hides(splitPath(path).name);
    if (isOut) continue;
    if (unpacks && node.type === "file" && node.content.kind === "host") {
      const unpacked = await unpacker.unpack(node.content.path, tree, rules)
        .catch((error) => {
          throw damagedArchive(work, word, error);
        });
      if (unpacked) continue;
    }
    if ((many || paths.length > 1) && node.type !== "directory") {
      checkIsFolder(work, word, tree, rules);
    }
    copySource(from, path, tree, rules);
  }
  return paths.length;
}

/** Follows a source's links: what is wrong with them is not the destination's fault. */
function followed<Result>(work: CopyWork, word: string, follow: () => Result): Result {
  try {
    return follow();
  } catch (error) {
    if (!(error instanceof TreeConflict)) throw error;
    throw brokenLink(work, word, error.message, error);
  }
}

function brokenLink({ instruction, source }: CopyWork, word: string, why: string, cause?: unknown) {
  return faultAt(source, instruction, `Cannot copy ${word}: ${why}`, {
    word,
    next: "mend the link, or leave it out by a narrower pattern or an ignore file",
    cause,
  });
}

/** Of several files that go to one name only the last would be left. */
function checkIsFolder(work: CopyWork, word: string, tree: Rootfs, { to }: CopyRules): void {
  if (to.endsWith("/") || tree.resolve(to).node?.type === "directory") return;
  const { instruction, source } = work;
  throw faultAt(source, instruction, `Several files cannot be copied to one name, ${to}`, {
    word: hasWildcard(word) ? word : instruction.args.at(-1)!,
    next: `write the destination as a folder, "${to}/"`,
  });
}

function copyDocument(work: CopyWork, word: string, tree: Rootfs, rules: CopyRules): void {
  const { instruction, stage } = work;
  const { name, chomp, expand } = parseHeredoc(word)!;
  const body = instruction.heredocs.findLast((document) => document.name === name)?.content ?? "";
  const plain = chomp ? body.replace(/^\t+/gm, "") : body;
  const text = expand
    ? stage.scope.expand(plain, instruction, { plainQuotes: true, escape: "\\" })
    : plain;
  const bytes = new TextEncoder().encode(text);
  const folder = folderOf(PLAIN_FOLDER);
  const file = name.split("/").at(-1)!;
  folder.children.set(file, {
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: bytes.length,
    content: { kind: "bytes", bytes },
  });
  copySource(new Rootfs(folder), `/${file}`, tree, rules);
}

function missingSource(work: CopyWork, word: string) {
  const { instruction, source, fromName, missing } = work;
  return faultAt(source, instruction, `${word} is not in ${fromName}`, { word, next: missing });
}

/** Readers of archives do not know of which instruction they are, nor what to do. */
function damagedArchive({ instruction, source }: CopyWork, word: string, error: unknown): unknown {
  if (!(error instanceof Fault) || error.next !== undefined) return error;
  return faultAt(source, instruction, `Cannot unpack ${word}: ${error.message}`, {
    word,
    next: "write the archive again, or keep it as a file with COPY",
    cause: error,
  });
}

/** As Docker writes it: what decides the files, after expansion. */
function historyLine(
  { instruction, stage }: CopyWork,
  words: readonly string[],
  documents: readonly string[],
  to: string,
): string {
  const flags = ["parents", "chown", "chmod"].flatMap((name) => {
    const value = instruction.options[name]?.[0];
    if (value === undefined || value === "false") return [];
    if (name === "parents") return ["--parents"];
    return [`--${name}=${stage.scope.expand(value, instruction)}`];
  });
  const names = documents.map((word) => `<<${parseHeredoc(word)!.name}`);
  return [instruction.keyword, ...flags, ...words, ...names, to].join(" ");
}
