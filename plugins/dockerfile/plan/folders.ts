/** Build contexts that are folders, with the ignore rules that hold in them. */

import { Fault } from "../../../lib/model/errors.ts";
import { IgnorePatterns, readIgnoreFile } from "./match.ts";
import { joinPath } from "./options.ts";
import { readRegularText } from "../../../lib/util/regular_file.ts";

/** A folder whose files COPY and ADD can name. */
export interface Folder {
  /** Path relative to images.ts' folder; `.` is that folder itself. */
  readonly path: string;
  /** Prefix of its files in the input tree: the path with a slash, or nothing. */
  readonly prefix: string;
  /** Cleaned lines of its ignore file. */
  readonly ignore: readonly string[];
  /** Where its ignore file was found, relative to images.ts. */
  readonly ignoreFile?: string;
}

/** What a folder is called in faults, and what to do about a source that it does not hold. */
export function missingIn({ path, ignoreFile }: Folder): { fromName: string; missing: string } {
  return {
    fromName: `the build context (${path})`,
    missing: ignoreFile === undefined
      ? "create it, or correct the path"
      : `create it, correct the path, or see what ${ignoreFile} hides`,
  };
}

/**
 * The ignore files of a context: of the two only the first counts, as in podman-build(1); Docker
 * knows only the second.
 */
export function ignoreFilesOf(context: string): string[] {
  return [joinPath(context, ".containerignore"), joinPath(context, ".dockerignore")];
}

/** Opens build contexts, remembering which files were looked for. */
export class Folders {
  readonly #root: string;
  readonly #reads: Set<string>;
  readonly #known = new Map<string, Folder>();

  /**
   * @param root absolute path of images.ts' folder.
   * @param reads receives the paths that were read or looked for.
   */
  constructor(root: string, reads: Set<string>) {
    this.#root = root;
    this.#reads = reads;
  }

  /**
   * The folder at a path. Of several ignore files the first that is there counts.
   *
   * @throws {Fault} where there is no folder, or its ignore file is malformed.
   */
  open(path: string, what: string, ignoreFiles = ignoreFilesOf(path)): Folder {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    if (!isFolder(`${this.#root}/${path}`)) {
      throw new Fault(`The ${what} "${path}" is not a folder`, {
        next: "correct the path in images.ts, or create the folder",
      });
    }
    let ignore: readonly string[] = [];
    let ignoreFile: string | undefined;
    for (const file of ignoreFiles) {
      const text = this.read(file);
      if (text === undefined) continue;
      ignore = checked(readIgnoreFile(text), file);
      ignoreFile = file;
      break;
    }
    const folder = {
      path,
      prefix: path === "." ? "" : `${path}/`,
      ignore,
      ...(ignoreFile === undefined ? {} : { ignoreFile }),
    };
    this.#known.set(path, folder);
    return folder;
  }

  /** A text file of the recipe's own; undefined where it is not there. */
  read(path: string): string | undefined {
    this.#reads.add(path);
    try {
      return readRegularText(`${this.#root}/${path}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
        return undefined;
      }
      throw error;
    }
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function checked(patterns: readonly string[], file: string): readonly string[] {
  for (const pattern of patterns) {
    try {
      new IgnorePatterns([pattern]);
    } catch (error) {
      throw new Fault(`Cannot read the pattern "${pattern}": ${(error as Error).message}`, {
        where: file,
        next: "correct the pattern",
        cause: error,
      });
    }
  }
  return patterns;
}
