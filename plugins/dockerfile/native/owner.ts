/** Owners and modes that instructions name. */

import { faultAt, type Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";

/** Numbers of a user and group. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Reads a text file of the image being built; undefined where it is not there. */
export type ReadText = (path: string) => Promise<string | undefined>;

/**
 * Reads `user[:group]`, by number or by name. A number without a group is the group's too; a name
 * without a group brings the group of its line in /etc/passwd; a colon without a group is group 0.
 *
 * @see https://docs.docker.com/reference/dockerfile/#copy---chown---chmod
 * @returns undefined for a name that is not in the image.
 */
export async function findOwner(text: string, read: ReadText): Promise<Owner | undefined> {
  const at = text.indexOf(":");
  const user = at < 0 ? text : text.slice(0, at);
  const group = at < 0 ? undefined : text.slice(at + 1);
  let owner: Owner = { uid: 0, gid: 0 };
  const uid = numberOf(user);
  if (uid !== undefined) owner = { uid, gid: uid };
  else if (user !== "") {
    const line = findLine(await read("/etc/passwd"), user);
    if (line === undefined) return undefined;
    owner = { uid: Number(line[2]), gid: Number(line[3]) };
  }
  if (group === undefined) return owner;
  if (group === "") return { ...owner, gid: 0 };
  const gid = numberOf(group);
  if (gid !== undefined) return { ...owner, gid };
  const line = findLine(await read("/etc/group"), group);
  return line === undefined ? undefined : { ...owner, gid: Number(line[2]) };
}

function numberOf(text: string): number | undefined {
  if (text === "root") return 0;
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function findLine(text: string | undefined, name: string): string[] | undefined {
  return text?.split("\n").map((line) => line.trim().split(":")).find((fields) =>
    fields[0] === name && fields.length >= 3
  );
}

/**
 * The owner that --chown names.
 *
 * @throws {Fault} with the line, for a name that is not in the image.
 */
export async function chownOwner(
  text: string,
  instruction: Instruction,
  source: Source,
  read: ReadText,
): Promise<Owner> {
  const owner = await findOwner(text, read);
  if (owner !== undefined) return owner;
  throw faultAt(source, instruction, `Cannot find the owner "${text}" in the image`, {
    word: instruction.options["chown"]?.[0] ?? text,
    next: "write numbers, or a name from /etc/passwd and /etc/group of the base",
  });
}

/** Gives a node's new mode from its old one. */
export type ModeChange = (mode: number, isFolder: boolean) => number;

/**
 * Reads --chmod: octal digits, or the symbolic form of chmod(1) such as `u=rwX,go=rX`.
 *
 * @throws {Fault} with the line, for anything else.
 */
export function chmodChange(text: string, instruction: Instruction, source: Source): ModeChange {
  if (/^[0-7]{1,5}$/.test(text) && parseInt(text, 8) <= 0o7777) {
    const mode = parseInt(text, 8);
    return () => mode;
  }
  const clauses = text.split(",").map((clause) =>
    /^([ugoa]*)((?:[-+=](?:[rwxXst]+|[ugo])?)+)$/.exec(clause)
  );
  if (text === "" || clauses.some((clause) => clause === null)) {
    throw faultAt(source, instruction, `Cannot read the mode "${text}"`, {
      word: instruction.options["chmod"]?.[0] ?? text,
      next: 'write it in octal, such as 0644, or as chmod does, such as "u=rwX,go=rX"',
    });
  }
  return (mode, isFolder) =>
    clauses.reduce((now, clause) => {
      const who = clause![1] === "" || clause![1]!.includes("a") ? "ugo" : clause![1]!;
      const actions = [...clause![2]!.matchAll(/([-+=])([rwxXstugo]*)/g)];
      return actions.reduce(
        (at, [, operator, what]) => change(at, who, operator!, what!, isFolder),
        now,
      );
    }, mode);
}

const SHIFT: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

function change(mode: number, who: string, operator: string, what: string, isFolder: boolean) {
  let bits = 0;
  let touched = 0;
  for (const person of who) {
    const shift = SHIFT[person]!;
    touched |= 0o7 << shift;
    if (person === "u") touched |= 0o4000;
    if (person === "g") touched |= 0o2000;
    for (const letter of what) {
      if (letter === "r") bits |= 0o4 << shift;
      else if (letter === "w") bits |= 0o2 << shift;
      else if (letter === "x") bits |= 0o1 << shift;
      else if (letter === "X" && (isFolder || (mode & 0o111) !== 0)) bits |= 0o1 << shift;
      else if (letter === "s" && person !== "o") bits |= person === "u" ? 0o4000 : 0o2000;
      else if (letter === "t") bits |= 0o1000;
      else if (letter in SHIFT) bits |= ((mode >> SHIFT[letter]!) & 0o7) << shift;
    }
  }
  if (operator === "+") return mode | bits;
  if (operator === "-") return mode & ~bits;
  return (mode & ~touched) | bits;
}
