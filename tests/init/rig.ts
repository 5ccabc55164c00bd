/** Repositories to run `init` in. */

import { assertEquals } from "@std/assert";
import { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";

/** An image that was found. */
export interface Found {
  readonly name: string;
  readonly plugin: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly omitted: readonly string[];
  readonly alternatives: readonly { readonly method: string; readonly source: string }[];
}

interface InitDocument {
  readonly images: readonly Found[];
  readonly registries: readonly {
    readonly name: string;
    readonly address: string;
    readonly visibility: string;
  }[];
  readonly written: readonly string[];
  readonly notes: readonly string[];
}

/** A repository of these files with a remote, and no tool but git on PATH. */
export async function repository(
  files: Readonly<Record<string, string>>,
  remote?: string,
): Promise<TestProject> {
  const project = await TestProject.resident(files);
  project.env.PATH = await withoutTools(project);
  await runTool(["git", "-C", project.root, "init", "-q"]);
  if (remote !== undefined) {
    await runTool(["git", "-C", project.root, "remote", "add", "origin", remote]);
  }
  return project;
}

/** A PATH on which git is the only program. */
async function withoutTools(project: TestProject): Promise<string> {
  const folder = project.beside("only-git");
  Deno.mkdirSync(folder);
  const { stdout } = await runTool(["sh", "-c", "command -v git"]);
  Deno.symlinkSync(stdout.trim(), `${folder}/git`);
  return folder;
}

/** Runs `init` and returns its document, with `images` as name → plugin and options. */
export async function init(project: TestProject) {
  const { code, stdout, stderr } = await project.images("init", "--json");
  assertEquals(code, 0, stderr);
  const document = JSON.parse(stdout) as InitDocument;
  const images = Object.fromEntries(
    document.images.map(({ name, plugin, options }) => [name, [plugin, options]]),
  );
  return { ...document, images, found: document.images };
}

const written: string[] = [];

/** Checks that the written images.ts is formatted and can be planned; returns its text. */
export async function assertPlans(project: TestProject): Promise<string> {
  const path = project.path("images.ts");
  await runTool([Deno.execPath(), "fmt", "--check", "-q", "--no-config", path]);
  const { code, stdout, stderr } = await project.images("plan", "--json", "--no-remote");
  assertEquals(code, 0, `${stdout}${stderr}`);
  const text = Deno.readTextFileSync(path);
  written.push(text);
  return text;
}

/** Checks that all images.ts that {@link assertPlans} saw pass the compiler. */
export async function assertCompiles(): Promise<void> {
  await using project = await TestProject.resident();
  const paths = written.map((_, at) => `${at}.ts`);
  for (const [at, path] of paths.entries()) project.write({ [path]: written[at]! });
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const files = paths.map((path) => project.path(path));
  await runTool([Deno.execPath(), "check", "-q", `--config=${config}`, ...files]);
}
