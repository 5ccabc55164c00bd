/** Projects with a flake whose images need nothing but Nix and a shell, and a `nix` that is counted. */

import { assertEquals } from "@std/assert";
import { commitAll } from "../support/real/fixture.ts";
import { nixConfiguration } from "../support/real/nix.ts";
import { runTool } from "../support/real/program.ts";
import { TestProject } from "../support/project.ts";

/** Nix's name for this machine. */
export const SYSTEM = `${Deno.build.arch}-linux`;

/**
 * `image` makes a derivation of an image without layers. It reads text from a file, so that the
 * derivation changes with it; `script` runs first, and its output is the builder's log.
 */
const LIBRARY = `
rec {
  image = { name, text ? "", arch ? "amd64", script ? "echo building \${name}" }: derivation {
    inherit name;
    system = "${SYSTEM}";
    builder = "/bin/sh";
    args = [ "-c" "\${script}; printf %s \\"$json\\" > $out" ];
    json = builtins.toJSON {
      version = 1;
      image-config = { Labels = { inherit text; }; };
      layers = null;
      inherit arch;
      created = null;
    };
  };
}
`;

/** A project whose flake's outputs are the given Nix expression; it may use \`image\` and \`self\`. */
export class FlakeProject implements AsyncDisposable {
  readonly project: TestProject;
  readonly #nix: Awaited<ReturnType<typeof nixConfiguration>>;

  private constructor(project: TestProject, nix: Awaited<ReturnType<typeof nixConfiguration>>) {
    this.project = project;
    this.#nix = nix;
  }

  /** Makes the project, everything committed. */
  static async create(
    files: Readonly<Record<string, string>>,
    images: string,
  ): Promise<FlakeProject> {
    const project = await TestProject.resident({
      "library.nix": LIBRARY,
      ".gitignore": "/.images\n",
    });
    const flake = new FlakeProject(project, await nixConfiguration());
    project.write(files);
    project.define(images);
    await commitAll(project.root);
    await flake.count();
    return flake;
  }

  /** Lets commands use Nix through a program that counts its starts. */
  async count(): Promise<void> {
    const { stdout } = await runTool(["sh", "-c", "command -v nix"]);
    Object.assign(this.project.env, this.#nix.env);
    this.project.fakeTool("nix", `exec ${stdout.trim()} "$@"`);
  }

  /** Runs something, and answers with the `nix` subcommands that were started meanwhile. */
  async started(run: () => Promise<unknown>): Promise<string[]> {
    const before = this.project.starts("nix").length;
    await run();
    return this.project.starts("nix").slice(before).map((line) => line.split(" ", 1)[0]!);
  }

  /** Builds, checks statuses by name, and answers with the `nix` subcommands that were started. */
  async builds(expected: Readonly<Record<string, string>>): Promise<string[]> {
    return await this.started(async () => assertEquals(await this.project.statuses(), expected));
  }

  /** Runs git in the project. */
  async git(...args: string[]): Promise<void> {
    const identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    await runTool(["git", "-C", this.project.root, ...identity, ...args]);
  }

  /** Variables that let \`nix\` itself be run on the project. */
  get env(): Readonly<Record<string, string>> {
    return this.#nix.env;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.project[Symbol.asyncDispose]();
    await this.#nix[Symbol.asyncDispose]();
  }
}

/** The files of the miniature flake: the cache server, and files that have no part in it. */
export const FLYWHEEL: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "flake.nix",
    "default.nix",
    "nix/nix2container.nix",
    "nix/layers.mjs",
    "attic/default.nix",
    "attic/atticd.sh",
    "attic/index.html",
    "attic/nix-cache-info",
    "app/README.md",
  ].map((path) => [
    path,
    Deno.readTextFileSync(new URL(`../fixtures/flywheel/${path}`, import.meta.url)),
  ]),
);

/** A flake with these outputs. */
export function flakeOf(outputs: string, inputs = ""): string {
  return `{ ${inputs} outputs = { self, ... }@inputs: with import ./library.nix; ${outputs}; }`;
}
