/** What the system refuses, in words that name the thing and the remedy. */

/** Message and remedy for an error of the system. */
export interface Refusal {
  readonly message: string;
  /** Path it is about, where the error names one. */
  readonly path?: string;
  /** What to do next. */
  readonly next: string;
}

const WRITABLE = "make it writable, or write elsewhere: IMAGES_STATE_DIR moves `.images`";
const SPACE = "make room, e.g. with `images prune`, then run it again";
const FOLDER = "move away what is in the way of a folder";

/** @see https://man7.org/linux/man-pages/man3/errno.3.html */
const REFUSALS: Readonly<Record<string, readonly [message: string, next: string]>> = {
  EROFS: ["The file system is read-only", WRITABLE],
  EACCES: ["Permission denied", "give your user the right to it"],
  EPERM: ["Operation not permitted", "give your user the right to it"],
  ENOSPC: ["No space is left on the disk", SPACE],
  EDQUOT: ["No more disk space is allowed to your user", SPACE],
  ENOTDIR: ["There is a file where a folder should be", FOLDER],
  EEXIST: ["There is something where a folder or new file should be", FOLDER],
  EISDIR: ["There is a folder where a file should be", "name a file, or move the folder away"],
};

/** The refusal that an error of Deno stands for; undefined for any other error. */
export function refusalOf(error: Error): Refusal | undefined {
  const known = "code" in error ? REFUSALS[String(error.code)] : undefined;
  if (known === undefined) return undefined;
  const [message, next] = known;
  const path = /'(\/[^']*)'$/.exec(error.message)?.[1];
  return { message, next, ...(path === undefined ? {} : { path }) };
}
