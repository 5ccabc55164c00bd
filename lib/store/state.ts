/** The folder where a project's state lives, and what lies where in it. */

import { writeAtomic } from "./atomic.ts";

/** Paths of one project's state. Nothing is created before something is written. */
export class State {
  /** Absolute path of the folder. */
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The state of the project in this folder: `.images`, or where `IMAGES_STATE_DIR` says. */
  static of(root: string): State {
    const moved = Deno.env.get("IMAGES_STATE_DIR");
    if (!moved) return new State(`${root}/.images`);
    return new State(moved.startsWith("/") ? moved : `${root}/${moved}`);
  }

  /** The OCI layout. */
  get oci(): string {
    return `${this.folder}/oci`;
  }

  /** The stat index of lib/files. */
  get index(): string {
    return `${this.folder}/index`;
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

  /** Creates the folder with the file that keeps it out of git. */
  prepare(): void {
    Deno.mkdirSync(`${this.folder}/tmp`, { recursive: true });
    const ignore = `${this.folder}/.gitignore`;
    if (!exists(ignore)) writeAtomic(ignore, "*\n");
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
