/**
 * What a run costs in which nothing has changed: here, with turbo, and as far as git and a bare walk
 * under Deno go; then how planning grows with the number of images.
 */

import { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { benchOnce, compare, type Contender, ROUNDS, show } from "./ratios.ts";

const TURBO = "2.11.11";

benchOnce("nothing has changed", run);

async function run(): Promise<void> {
  await using tools = await TestProject.create();
  const turbo = await installTurbo(tools.root);
  for (const [images, files] of [[50, 200], [1_000, 100]] as const) {
    await nothingChanged(images, files, turbo);
  }
  await planning();
}

/** `build --all` again, beside others doing nothing over the same files. */
async function nothingChanged(images: number, files: number, turbo: string): Promise<void> {
  await using project = await makeProject(images, files);
  // Apart, since Deno would read the package.json of every member.
  await using workspace = await makeProject(images, files);
  await describeForTurbo(workspace, images);
  const contender = (name: string, { root }: TestProject, ...command: string[]): Contender => ({
    name,
    command,
    cwd: root,
    env: {
      NO_COLOR: "1",
      TURBO_TELEMETRY_DISABLED: "1",
      PATH: `${turbo.slice(0, turbo.indexOf("/node_modules/"))}/bin:${Deno.env.get("PATH")}`,
    },
  });
  const deno = (script: string) => [Deno.execPath(), "run", "-A", project.path(script)];
  const contenders = [
    contender("turbo", workspace, turbo, "run", "build", "--output-logs=none"),
    contender("images build --all", project, ...commandOf(project, "build", "--all")),
    contender("git status", workspace, "git", "status", "--porcelain"),
    contender("walk and lstat", project, ...deno("walk.js")),
    contender("empty deno run", project, ...deno("empty.js")),
  ];
  project.write({ "walk.js": WALK, "empty.js": "" });
  // Everybody's own state is made, and settled: what was written in the last two seconds is read again.
  await compare(contenders, 1);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await compare(contenders.slice(0, 2), 1);
  show(
    `${images} images, ${images * files} files, nothing changed`,
    await compare(contenders, ROUNDS),
  );
}

/** `plan` of images that were never built, ten times as many, and again once they are built. */
async function planning(): Promise<void> {
  for (const images of [1_000, 10_000]) {
    await using project = await makeProject(images, 20);
    const plan = { command: commandOf(project, "plan"), cwd: project.root };
    const prepare = () => Deno.remove(project.path(".images"), { recursive: true }).catch(() => {});
    const figures = [...await compare([{ name: "never built", ...plan, prepare }], ROUNDS)];
    if (images === 1_000) {
      await runTool(commandOf(project, "build", "--all", "-q"), { cwd: project.root });
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      await runTool(plan.command, { cwd: project.root });
      figures.push(...await compare([{ name: "built", ...plan }], ROUNDS));
    }
    show(`plan of ${images} images with 20 files each`, figures);
  }
}

function commandOf(project: TestProject, ...args: string[]): string[] {
  return [Deno.execPath(), ...project.commandLine(...args)];
}

/** Images of so many small files each, in ten folders, declared in a loop. */
async function makeProject(images: number, files: number): Promise<TestProject> {
  const project = await TestProject.create();
  for (let image = 0; image < images; image++) {
    for (let file = 0; file < files; file++) {
      const folder = project.path(`packages/i${image}/src/${file % 10}`);
      if (file < 10) Deno.mkdirSync(folder, { recursive: true });
      Deno.writeTextFileSync(`${folder}/${file}.txt`, `${image} ${file}\n`.repeat(20));
    }
  }
  project.define(`{
    images: each(Array.from({ length: ${images} }, (_, at) => "i" + at), (name) =>
      files({ layers: [{ from: "packages/" + name + "/src", to: "/srv" }] })),
  }`);
  return project;
}

async function describeForTurbo(project: TestProject, images: number): Promise<void> {
  const json = (value: unknown) => JSON.stringify(value);
  project.write({
    ".gitignore": ".images\n.turbo\nnode_modules\n",
    "package.json": json({
      name: "root",
      private: true,
      packageManager: "npm@10.0.0",
      workspaces: ["packages/*"],
    }),
    "turbo.json": json({ tasks: { build: { outputs: [] } } }),
    "package-lock.json": json({ name: "root", lockfileVersion: 3, packages: {} }),
  });
  for (let image = 0; image < images; image++) {
    const name = `i${image}`;
    project.write({
      [`packages/${name}/package.json`]: json({
        name,
        version: "1.0.0",
        scripts: { build: "true" },
      }),
    });
  }
  const git = (...args: string[]) => runTool(["git", ...args], { cwd: project.root });
  await git("init", "-q");
  await git("add", "-A");
  await git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "All");
}

/** turbo's native binary, in a folder of its own, and an npm that does nothing for its first run. */
async function installTurbo(folder: string): Promise<string> {
  await runTool(["npm", "install", "--silent", "--prefix", folder, `turbo@${TURBO}`]);
  await Deno.mkdir(`${folder}/bin`);
  await Deno.writeTextFile(`${folder}/bin/npm`, "#!/bin/sh\n", { mode: 0o755 });
  return `${folder}/node_modules/@turbo/linux-64/bin/turbo`;
}

/** The least that looking at every file takes under Deno. */
const WALK = `
  const visit = (folder) => {
    for (const entry of Deno.readDirSync(folder)) {
      const path = folder + "/" + entry.name;
      if (entry.isDirectory) visit(path);
      else Deno.lstatSync(path);
    }
  };
  visit("packages");
`;
