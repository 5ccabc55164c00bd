/** A project that is edited: what a run makes of what it remembers, beside a run that knows nothing. */

import { loadProject } from "../../lib/dsl/load.ts";
import type { Project } from "../../lib/model/recipe.ts";
import { affectedBy } from "../../lib/plan/affected.ts";
import { isKeyed } from "../../lib/run/settled.ts";
import { Runner } from "../../lib/run/runner.ts";
import { Session } from "../../lib/run/session.ts";
import { State } from "../../lib/store/state.ts";
import { TestProject } from "../support/project.ts";

/** What a build came to. */
export interface Outcome {
  /** Key and image ID, or why there is none. */
  readonly result: string;
  readonly status: string | undefined;
}

/** A project with one image, `app`, built in this process. */
export class EditedProject implements AsyncDisposable {
  readonly #project: TestProject;
  readonly #loaded: Project;
  #states = 0;

  private constructor(project: TestProject, loaded: Project) {
    this.#project = project;
    this.#loaded = loaded;
  }

  /** Makes a project of these files, path → text, whose image has this recipe. */
  static async create(
    files: Readonly<Record<string, string>>,
    recipe = 'dockerfile({ context: "ctx" })',
  ): Promise<EditedProject> {
    const project = await TestProject.create(files, `{ images: { app: ${recipe} } }`);
    return new EditedProject(project, await loadProject(project.path("images.ts")));
  }

  /** Absolute path of its folder. */
  get root(): string {
    return this.#project.root;
  }

  /** Writes a file, whatever folders it takes. */
  write(path: string, text: string): void {
    this.#project.write({ [path]: text });
  }

  /** Makes a folder, whatever folders it takes. */
  mkdir(path: string): void {
    Deno.mkdirSync(`${this.root}/${path}`, { recursive: true });
  }

  /** Makes a link, in place of what is there. */
  link(path: string, target: string): void {
    this.remove(path);
    Deno.mkdirSync(`${this.root}/${path.slice(0, path.lastIndexOf("/") + 1)}`, { recursive: true });
    Deno.symlinkSync(target, `${this.root}/${path}`);
  }

  /** Moves what is at a path. */
  move(from: string, to: string): void {
    Deno.renameSync(`${this.root}/${from}`, `${this.root}/${to}`);
  }

  /** Removes what is at a path, if there is anything. */
  remove(path: string): void {
    try {
      Deno.removeSync(`${this.root}/${path}`, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Builds with what earlier builds have left. */
  async build(): Promise<Outcome> {
    return await this.#build(new State(this.#project.beside("state")));
  }

  /** Builds as on a machine that has never seen it. */
  async buildAnew(): Promise<Outcome> {
    const state = new State(this.#project.beside(`state-${this.#states++}`));
    const outcome = await this.#build(state);
    Deno.removeSync(state.folder, { recursive: true });
    return outcome;
  }

  /** Says whether changes of these paths can touch the image, as a machine finds that has built nothing. */
  async isAffectedBy(paths: readonly string[]): Promise<boolean> {
    const session = this.#open(new State(this.#project.beside("no-state")));
    const found = await affectedBy(session.circumstances, paths);
    await session.close();
    return found.length > 0;
  }

  /** What git would compare: path → what is there, links by their targets. Empty folders go. */
  files(folder = ""): Map<string, string> {
    const files = new Map<string, string>();
    for (const { name, isDirectory, isSymlink } of Deno.readDirSync(`${this.root}/${folder}`)) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const full = `${this.root}/${path}`;
      if (!isDirectory) {
        files.set(path, isSymlink ? `-> ${Deno.readLinkSync(full)}` : Deno.readTextFileSync(full));
        continue;
      }
      const below = this.files(path);
      if (below.size === 0) Deno.removeSync(full);
      for (const [each, text] of below) files.set(each, text);
    }
    return files;
  }

  #open(state: State): Session {
    return new Session(
      this.#loaded,
      { targets: ["app"], all: false },
      {
        jobs: 1,
        keepGoing: false,
        force: false,
        args: {},
        overrides: { engine: "native" },
        remote: false,
        pull: false,
        state,
      },
      () => {},
      new AbortController().signal,
    );
  }

  async #build(state: State): Promise<Outcome> {
    const session = this.#open(state);
    try {
      const [settled] = await new Runner(session, "build").run();
      if (settled === undefined || !("record" in settled || "fault" in settled)) {
        throw new Error("The image was not settled");
      }
      const { status, fault } = settled;
      const image = "record" in settled && isKeyed(settled)
        ? `${settled.key} ${settled.record?.imageId}`
        : undefined;
      return { status, result: fault === undefined ? `${image}` : `failed: ${fault.message}` };
    } finally {
      await session.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#project[Symbol.asyncDispose]();
  }
}
