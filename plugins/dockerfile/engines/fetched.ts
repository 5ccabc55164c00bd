/**
 * Sources that ADD fetches, handed to an engine as a folder: what it adds is what the key says, and
 * not what the server says by then.
 */

import { Fault } from "../../../lib/model/errors.ts";
import { hexOf } from "../../../lib/model/digest.ts";
import { canonicalJson } from "../../../lib/oci/json.ts";
import { sha256 } from "../../../lib/oci/sha256.ts";
import type { RemoteTrees } from "../native/remote_tree.ts";
import { folderOf, PLAIN_FOLDER } from "../native/rootfs.ts";
import type { FetchedAdd } from "../plan/survey.ts";
import { faultAt } from "../syntax/place.ts";
import type { Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";
import type { HandedCopy } from "./handed_script.ts";
import { prepareTree } from "./prepare.ts";
import type { Tooling } from "./tooling.ts";

/** Flags that COPY has too. */
const FLAGS = ["chown", "chmod", "link", "exclude"];

/** Everything fetched, by the instruction that adds it, and the folder that holds it. */
export interface Fetched {
  readonly copies: ReadonlyMap<Instruction, HandedCopy>;
  /** Arguments of the build that make the folder known. */
  readonly args: readonly string[];
}

/** What the folder is called in the handed Dockerfile. */
const CONTEXT = "images-fetched";

/**
 * Fetches what a plan's ADD instructions name elsewhere, each source in a folder of its own.
 *
 * @throws {Fault} with the line of what cannot be fetched, or cannot be handed over.
 */
export async function handFetched(
  adds: readonly FetchedAdd[],
  remotes: RemoteTrees,
  tooling: Tooling,
  source: Source,
): Promise<Fetched> {
  if (adds.length === 0) return { copies: new Map(), args: [] };
  const { context } = tooling;
  const top = folderOf(PLAIN_FOLDER);
  const copies = new Map<Instruction, HandedCopy>();
  const contents: string[] = [];
  for (const { instruction, remotes: named, isMixed } of adds) {
    refuse(instruction, isMixed, source);
    const paths: string[] = [];
    for (const remote of named) {
      const { root } = (await opened(remotes, remote, instruction, source)).tree;
      const folder = String(top.children.size);
      top.children.set(folder, root);
      paths.push(remote.kind === "git" ? `${folder}/` : `${folder}/${patternOf(remote.file)}`);
      const { name, fixed } = remote.source;
      contents.push(canonicalJson([fixed ?? context.sources[name] ?? "", paths.at(-1)!]));
    }
    copies.set(instruction, { from: CONTEXT, paths, flags: FLAGS });
  }
  const name = hexOf(sha256(contents.join("\n"))).slice(0, 32);
  const path = await prepareTree(top, name, context);
  return { copies, args: ["--build-context", `${CONTEXT}=${path}`] };
}

async function opened(
  remotes: RemoteTrees,
  remote: FetchedAdd["remotes"][number],
  instruction: Instruction,
  source: Source,
) {
  try {
    return await remotes.open(remote);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { message, kind, next } = error;
    throw faultAt(source, instruction, message, {
      kind,
      cause: error,
      ...(next === undefined ? {} : { next }),
    });
  }
}

function refuse(instruction: Instruction, isMixed: boolean, source: Source): void {
  if (isMixed) {
    throw faultAt(source, instruction, "ADD of a URL beside other sources cannot go to an engine", {
      next: "write an ADD of its own for the URL",
    });
  }
  if (instruction.options["unpack"]?.[0] === "true") {
    throw faultAt(source, instruction, "ADD --unpack of a URL cannot go to an engine", {
      word: "--unpack",
      next: "add it in a stage without RUN as an image of its own, and copy from that",
    });
  }
}

/** A name as a pattern that needs no quoting: it matches, and nothing else lies beside it. */
function patternOf(name: string): string {
  return name.replace(/[^A-Za-z0-9._+@%=,~-]/gu, "?");
}
