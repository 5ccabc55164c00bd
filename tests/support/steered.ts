/** Images whose builds do, step by step, what a test tells them, and wait for it to do so. */

import { TestProject } from "./project.ts";

/** What a build is told to do. */
export type Command =
  | { readonly log: string }
  | {
    readonly phase: string;
    readonly done?: number;
    readonly total?: number;
    readonly unit?: "bytes" | "steps";
  }
  | { readonly fail: string }
  | { readonly end: true };

/** What an image is declared with. */
export interface SteeredImage {
  readonly needs?: readonly string[];
  readonly inputs?: readonly string[];
}

/** A plugin that reads what to do from a pipe of its image's name; without one it is done at once. */
const PLUGIN = `
import { Fault, plugin } from "images";

const encoder = new TextEncoder();

export const steered = plugin({
  name: "steered",
  version: "1",
  describe: () => ({ options: {}, inputs: [] }),
  build: async ({ context }) => {
    const stopped = new Promise((_, reject) =>
      context.signal.addEventListener("abort", () => reject(context.signal.reason)));
    stopped.catch(() => {});
    await Promise.race([obey(context), stopped]);
    const config = JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Labels: { name: context.name, key: context.key } },
      rootfs: { type: "layers", diff_ids: [] },
    });
    return { config: encoder.encode(config), layers: [] };
  },
});

async function obey(context) {
  for await (const command of commands(context.root + "/steering/" + context.name)) {
    if ("log" in command) context.log(command.log);
    else if ("phase" in command) context.progress(command);
    else if ("fail" in command) throw new Fault(command.fail, { where: context.name, next: "mend it" });
    else return;
  }
}

async function* commands(path) {
  let pipe;
  try {
    // Opened for both, a pipe neither waits for its other end nor has an end.
    pipe = await Deno.open(path, { read: true, write: true });
  } catch {
    return;
  }
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let rest = "";
  while (true) {
    const lines = (rest + decoder.decode(buffer.subarray(0, await pipe.read(buffer)))).split("\\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}
`;

/** A project of steered images. */
export class SteeredProject implements AsyncDisposable {
  readonly project: TestProject;
  readonly #pipes = new Map<string, Deno.FsFile>();

  private constructor(project: TestProject) {
    this.project = project;
  }

  /** Declares images; \`waiting\` are those whose builds wait to be told what to do. */
  static async create(
    images: Readonly<Record<string, SteeredImage>>,
    waiting: readonly string[] = [],
  ): Promise<SteeredProject> {
    const steered = new SteeredProject(await TestProject.create({ "steered.ts": PLUGIN }));
    const table = Object.entries(images).map(([name, options]) =>
      `  ${JSON.stringify(name)}: steered(${JSON.stringify(options)}),`
    );
    steered.project.write({
      "images.ts": [
        'import { define } from "images";',
        'import { steered } from "./steered.ts";',
        "export default define({ images: {",
        ...table,
        "} });",
        "",
      ].join("\n"),
    });
    if (waiting.length > 0) await steered.wait(...waiting);
    return steered;
  }

  /** Lets the builds of these images wait to be told what to do. */
  async wait(...names: readonly string[]): Promise<void> {
    Deno.mkdirSync(this.project.path("steering"), { recursive: true });
    const paths = names.map((name) => this.project.path(`steering/${name}`));
    const { success } = await new Deno.Command("mkfifo", { args: paths }).output();
    if (!success) throw new Error("mkfifo failed");
    for (const [at, name] of names.entries()) {
      const path = paths[at]!;
      this.#pipes.set(name, await Deno.open(path, { read: true, write: true }));
    }
  }

  /** Tells an image's build what to do, now or when it starts. */
  async tell(name: string, ...commands: readonly Command[]): Promise<void> {
    const text = commands.map((command) => `${JSON.stringify(command)}\n`).join("");
    await this.#pipes.get(name)!.write(new TextEncoder().encode(text));
  }

  /** Ends builds. */
  async end(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.tell(name, { end: true });
  }

  /** Removes the project. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const pipe of this.#pipes.values()) pipe.close();
    await this.project[Symbol.asyncDispose]();
  }
}
