/** The folder where a project's state lives, and what lies where in it. */

import { realPath } from "../files/way.ts";
import { usageFault } from "../model/errors.ts";
import { sumOf } from "../model/sealed.ts";
import { namesIn } from "../util/names_in.ts";
import { removeLeftovers, TemporaryFile, TemporaryFolder } from "../util/temporary.ts";
import { writeAtomic } from "./atomic.ts";
import { readRegularText } from "../util/regular_file.ts";

const IGNORE_ALL = "*\n";

/** The folder's name where it was not moved. */
const STATE_NAME = ".images";

/** What a run that was killed at once may leave, and what an empty disk has. */
const EARLY = ["tmp", "locks", "lost+found"];

/** The folders in which files are written under a temporary name first; `""` is the state's own. */
const WRITTEN = [
  ...["tmp", "", "oci", "oci/blobs/sha256", "records/images", "records/tasks", "trees", "outputs"],
  ...["cache/listings", "cache/verdicts", "cache/compressed", "cache/projections"],
];

/** Paths of one project's state. Nothing is created before something is written. */
export class State {
  /** Absolute path of the folder. */
  readonly folder: string;
  /** Absolute path of the project's folder, where the state was moved: several may share it. */
  readonly #workTree: string | undefined;
  #isSwept = false;

  /** @param workTree absolute path of the project's folder, where the state was moved. */
  constructor(folder: string, workTree?: string) {
    this.folder = folder;
    this.#workTree = workTree;
  }

  /**
   * The state of the project in this folder: `.images`, or where `IMAGES_STATE_DIR` says.
   *
   * @throws {Fault} where that is a folder of something else: what is not ours would be removed.
   */
  static of(root: string): State {
    const moved = Deno.env.get("IMAGES_STATE_DIR");
    const usual = `${root}/${STATE_NAME}`;
    if (!moved) return new State(usual);
    const folder = plain(moved.startsWith("/") ? moved : `${root}/${moved}`);
    const whose = ownerOf(folder, root);
    if (whose === undefined) return new State(folder, folder === usual ? undefined : root);
    throw usageFault(`IMAGES_STATE_DIR names ${whose}`, {
      where: folder,
      next: "let it name a folder of its own, which may be missing or empty",
    });
  }

  /** The OCI layout. */
  get oci(): string {
    return `${this.folder}/oci`;
  }

  /** The stat index of lib/files. */
  get index(): string {
    return this.path(this.#workTree === undefined ? "index" : `index-${shortHash(this.#workTree)}`);
  }

  /** The folder of the latest record of each image and task of this work tree. */
  get latest(): string {
    return this.#workTree === undefined
      ? this.path("records")
      : this.path("records", WORK_TREES, shortHash(this.#workTree));
  }

  /** The folders of the latest records of other work trees; of those that are gone, none. */
  get latestElsewhere(): string[] {
    const others = this.#workTrees.filter((folder) => folder !== this.latest);
    const isBesideProject = this.folder.endsWith(`/${STATE_NAME}`);
    return this.#workTree !== undefined && isBesideProject
      ? [this.path("records"), ...others]
      : others;
  }

  /** Absolute paths of the files that stand for work trees which are there: paths and stat indexes. */
  get workTreeFiles(): ReadonlySet<string> {
    return new Set(
      this.#workTrees.flatMap((folder) => [
        `${folder}/path`,
        this.path(`index-${folder.slice(folder.lastIndexOf("/") + 1)}`),
      ]),
    );
  }

  /** The folders of the latest records of work trees that are there. */
  get #workTrees(): string[] {
    const folder = this.path("records", WORK_TREES);
    const all = namesIn(folder).map((name) => `${folder}/${name}`);
    return all.filter((path) => path === this.latest || exists(readText(`${path}/path`) ?? ""));
  }

  /** The folder of all results by key, whichever work tree they were made in. */
  get results(): string {
    return this.path("records", BY_KEY);
  }

  /**
   * Identifies this copy of the folder. One that was copied or restored, perhaps on another machine,
   * has another identity: there, equal stats prove nothing.
   */
  get origin(): string {
    try {
      const { dev, ino, ctime } = Deno.lstatSync(`${this.folder}/.gitignore`);
      return `${dev}:${ino}:${ctime?.getTime()}`;
    } catch {
      return "";
    }
  }

  /** What can be made again at any time: listings of layers, verdicts. */
  get cache(): string {
    return `${this.folder}/cache`;
  }

  /** The lock that runs share while they use what is here, and pruning holds alone. */
  get use(): string {
    return this.path("locks", "use");
  }

  /** What is kept of the last run that did something. */
  get lastRun(): string {
    return `${this.folder}/last-run.json`;
  }

  /** The log of a build. */
  log(subject: string): string {
    return `${this.folder}/logs/${fileName(subject)}.log`;
  }

  /** A path below the folder. */
  path(...parts: readonly string[]): string {
    return [this.folder, ...parts].join("/");
  }

  /** A temporary file for something large. */
  temporaryFile(name: string): TemporaryFile {
    this.#sweep();
    return TemporaryFile.create(this.path("tmp", name));
  }

  /** A temporary folder. */
  temporaryFolder(name: string): TemporaryFolder {
    this.#sweep();
    return TemporaryFolder.create(this.path("tmp", name));
  }

  /** Removes, once, what killed runs left; a run that makes nothing large need not look. */
  #sweep(): void {
    this.prepare();
    if (this.#isSwept) return;
    this.#isSwept = true;
    for (const folder of WRITTEN) removeLeftovers(this.path(folder));
  }

  /** Creates the folder with the file that keeps it out of git. */
  prepare(): void {
    Deno.mkdirSync(`${this.folder}/tmp`, { recursive: true });
    const ignore = `${this.folder}/.gitignore`;
    if (!exists(ignore)) writeAtomic(ignore, IGNORE_ALL);
    if (this.#workTree === undefined || exists(`${this.latest}/path`)) return;
    writeAtomic(`${this.latest}/path`, this.#workTree);
  }
}

/** Below `records`: the latest records of each work tree that shares the state. */
const WORK_TREES = "work-trees";

/** Below `records`: results by key. */
const BY_KEY = "by-key";

/** A path as 16 hex digits. */
function shortHash(path: string): string {
  const bytes = new TextEncoder().encode(path);
  const half = (seed: number) => sumOf(bytes, bytes.length, seed).toString(16).padStart(8, "0");
  return half(0x811c9dc5) + half(0x9e3779b9);
}

/** An absolute path without `.` and `..`; @std/path would import a module of Node on each run. */
function plain(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** What a folder is that cannot be a state's; undefined where it can. */
function ownerOf(folder: string, root: string): string | undefined {
  const real = realPath(folder)?.replace(/\/?$/, "/");
  if (real === undefined) return undefined;
  if (`${realPath(root)}/`.startsWith(real)) return "a folder that holds the project itself";
  if (exists(`${folder}/oci/oci-layout`) || ignoresAll(folder)) return undefined;
  return namesIn(folder).every((name) => EARLY.includes(name))
    ? undefined
    : "a folder that holds other files";
}

function ignoresAll(folder: string): boolean {
  return readText(`${folder}/.gitignore`) === IGNORE_ALL;
}

function readText(path: string): string | undefined {
  try {
    return readRegularText(path);
  } catch {
    return undefined;
  }
}

/** A subject such as `app@linux/arm64` as a file name. */
export function fileName(subject: string): string {
  return subject.replaceAll("/", "-");
}

/** Says whether something is there. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
