/** A throw-away project with its own images.ts, and the command line run on it. */

import { fromFileUrl } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { DENO_DIR } from "./deno_environment.ts";
import { Resident } from "./resident.ts";
import type { ImageResult, ResultDocument, TaskResult } from "../../lib/model/result.ts";

const REPOSITORY = fromFileUrl(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** Options of `deno run`: those of `deno task images`, and where its configuration is. */
const OPTIONS = [
  ...config.tasks.images.split(" ").slice(2, -1),
  `--config=${REPOSITORY}/deno.json`,
];

/** How a command ended. */
export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project in a temporary folder. */
export class TestProject implements AsyncDisposable {
  /** Absolute path of its folder. */
  readonly root: string;
  /** Variables that every command gets. */
  readonly env: Record<string, string> = {};
  readonly #parent: string;
  #staysResident = false;
  #isBusy = false;
  #resident: { readonly process: Resident; readonly stamp: string } | undefined;

  private constructor(parent: string, root: string) {
    this.#parent = parent;
    this.root = root;
  }

  /** Makes a project of these files, path → text, and of what {@link define} is given. */
  static async create(
    files: Readonly<Record<string, string>> = {},
    body?: string,
  ): Promise<TestProject> {
    const parent = await Deno.realPath(await Deno.makeTempDir({ prefix: "images-test-" }));
    const project = new TestProject(parent, `${parent}/project`);
    Deno.mkdirSync(project.root);
    project.write(files);
    if (body !== undefined) project.define(body);
    return project;
  }

  /**
   * The same, whose commands run in one process that is started anew only where a module beside
   * images.ts, it too, or the environment has changed: for tests of what commands do, not of how a
   * process begins and ends.
   */
  static async resident(
    files: Readonly<Record<string, string>> = {},
    body?: string,
  ): Promise<TestProject> {
    const project = await TestProject.create(files, body);
    project.#staysResident = true;
    return project;
  }

  /** A path inside the project. */
  path(relative: string): string {
    return `${this.root}/${relative}`;
  }

  /** A path beside the project, removed with it. */
  beside(relative: string): string {
    return `${this.#parent}/${relative}`;
  }

  /** Writes files: path → text. */
  write(files: Readonly<Record<string, string>>, mode = 0o644): void {
    for (const [relative, text] of Object.entries(files)) {
      const path = this.path(relative);
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(path, text);
      Deno.chmodSync(path, mode);
    }
  }

  /** Writes `images.ts`: `body` is what `define()` is called with. */
  define(body: string): void {
    this.write({
      "images.ts": [
        'import { define, each, registry, task } from "images";',
        'import { dockerfile, files, nix2container, rulesImg } from "images/plugins";',
        "void [each, registry, task, dockerfile, files, nix2container, rulesImg];",
        `export default define(${body});`,
        "",
      ].join("\n"),
    });
  }

  /** Puts a program of shell code on the PATH of every command; each start is counted. */
  fakeTool(name: string, script = "exit 0"): void {
    const folder = this.beside("bin");
    Deno.mkdirSync(folder, { recursive: true });
    const log = this.beside(`${name}.starts`);
    Deno.writeTextFileSync(`${folder}/${name}`, `#!/bin/sh\necho "$@" >> ${log}\n${script}\n`, {
      mode: 0o755,
    });
    this.env.PATH = `${folder}:${Deno.env.get("PATH")}`;
  }

  /** The arguments of each start of a fake tool. */
  starts(name: string): string[] {
    try {
      return Deno.readTextFileSync(this.beside(`${name}.starts`)).trimEnd().split("\n");
    } catch {
      return [];
    }
  }

  /** Starts a command without waiting for it. */
  spawn(...args: readonly string[]): Deno.ChildProcess {
    return this.#command(args).spawn();
  }

  /** Runs a command to its end. */
  async images(...args: readonly string[]): Promise<CommandOutcome> {
    if (this.#staysResident && !this.#isBusy) return await this.#inResident(args);
    const { code, stdout, stderr } = await this.#command(args).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: decode(stdout), stderr: decode(stderr) };
  }

  /** Runs a command with `--json` and reads its document; another status than `code` is an error. */
  async json(args: readonly string[], code = 0): Promise<ResultDocument> {
    const outcome = await this.images(...args, "--json");
    if (outcome.code !== code) {
      throw new Error(`images ${args.join(" ")}: status ${outcome.code}\n${outcome.stderr}`);
    }
    return JSON.parse(outcome.stdout);
  }

  /** Builds, and answers with each image's status by name. */
  async statuses(...args: readonly string[]): Promise<Record<string, string | undefined>> {
    const { images } = await this.json(["build", ...args]);
    return Object.fromEntries(images.map((image) => [image.name, image.status]));
  }

  /** Removes the project. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resident?.process[Symbol.asyncDispose]();
    await Deno.remove(this.#parent, { recursive: true });
  }

  async #inResident(args: readonly string[]): Promise<CommandOutcome> {
    this.#isBusy = true;
    try {
      return await (await this.#residentProcess()).run(args);
    } finally {
      this.#isBusy = false;
    }
  }

  async #residentProcess(): Promise<Resident> {
    const stamp = JSON.stringify([this.#environment, this.#modules()]);
    if (this.#resident?.stamp !== stamp) {
      await this.#resident?.process[Symbol.asyncDispose]();
      const process = new Resident(this.root, this.#environment, OPTIONS);
      this.#resident = { process, stamp };
    }
    return this.#resident.process;
  }

  /** What the modules beside images.ts are now: it may import any of them. */
  #modules(): unknown[] {
    const names = [...Deno.readDirSync(this.root)].map(({ name }) => name).sort();
    return names.filter((name) => /\.(?:[cm]?[jt]sx?|jsonc?)$/.test(name)).map((name) => {
      const { size, mtime, ino } = Deno.statSync(this.path(name));
      return [name, size, mtime, ino];
    });
  }

  get #environment(): Readonly<Record<string, string>> {
    return { NO_COLOR: "1", DENO_DIR, ...this.env };
  }

  /** The arguments of `deno` that run a command. */
  commandLine(...args: readonly string[]): string[] {
    return ["run", ...OPTIONS, `${REPOSITORY}/tasks/main.ts`, ...args];
  }

  #command(args: readonly string[]): Deno.Command {
    return new Deno.Command(Deno.execPath(), {
      args: this.commandLine(...args),
      cwd: this.root,
      env: { ...this.#environment },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }
}

/** The entry of one image. */
export function imageOf(document: ResultDocument, name: string): ImageResult {
  return found(document.images, name);
}

/** The entry of one task. */
export function taskOf(document: ResultDocument, name: string): TaskResult {
  return found(document.tasks, name);
}

function found<T extends { readonly name: string }>(all: readonly T[], name: string): T {
  const match = all.find((each) => each.name === name);
  if (match === undefined) throw new Error(`no entry for ${name}`);
  return match;
}
