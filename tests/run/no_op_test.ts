/** What happens, and does not, when all is up to date or only looked at. */

import { assertEquals } from "@std/assert";
import type { Folder } from "../../lib/files/folder.ts";
import { readIndexFile } from "../../lib/files/index_file.ts";
import { State } from "../../lib/store/state.ts";
import type { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { toolTest } from "../support/tools.ts";
import { siteProject } from "./projects.ts";

Deno.test("what only looks makes no folder that git would see", async () => {
  await using project = await siteProject();
  await project.json(["plan"]);
  assertEquals(Deno.readTextFileSync(project.path(".images/.gitignore")), "*\n");
});

Deno.test("build records images, and rewrites nothing when all is up to date", async () => {
  await using project = await siteProject();
  assertEquals(await project.statuses(), { site: "built", other: "built" });
  const before = stamps(project.path(".images/oci"));
  assertEquals(await project.statuses(), { site: "cached", other: "cached" });
  assertEquals(stamps(project.path(".images/oci")), before);
});

/** Path → time of its last change and inode, of everything below a folder. */
function stamps(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    const info = Deno.lstatSync(path);
    found[path] = `${info.mtime?.getTime()} ${info.ino}`;
    if (entry.isDirectory) Object.assign(found, stamps(path));
  }
  return found;
}

toolTest(
  ["strace"],
  "build starts no process, opens no input and lists no folder when all is up to date",
  async () => {
    await using project = await siteProject();
    await project.statuses();
    // The index trusts a file's stat two seconds after its last change.
    for (const path of ["site/index.html", "site/style.css", "other/a.txt"]) {
      Deno.utimeSync(project.path(path), 1e9, 1e9);
    }
    await waitUntilSettled(project);
    const trace = project.beside("trace");
    const { code } = await new Deno.Command("strace", {
      args: [
        ...["-f", "-qq", "-e", "trace=execve,openat", "-o", trace],
        ...[Deno.execPath(), ...project.commandLine("build")],
      ],
      cwd: project.root,
      env: project.env,
      stdout: "null",
      stderr: "null",
    }).output();
    assertEquals(code, 0);
    const lines = (await Deno.readTextFile(trace)).split("\n");
    assertEquals(lines.filter((line) => line.includes("execve(")).length, 1);
    assertEquals(lines.filter((line) => /openat\(.*\/project\/(site|other)\b/.test(line)), []);
  },
);

/**
 * Builds until the stats of the inputs are old enough to be trusted: that takes as long as it does,
 * however fast the builds are.
 */
async function waitUntilSettled(project: TestProject): Promise<void> {
  while (!isSettled(project)) {
    await runTool(["sleep", "1"]);
    await project.statuses();
  }
}

function isSettled(project: TestProject): boolean {
  const folders = [
    ...readIndexFile(project.path(".images/index"), new State(project.path(".images")).origin)
      .folders.values(),
  ];
  return folders.every((folder) => folder === undefined || isFolderSettled(folder));
}

function isFolderSettled(folder: Folder): boolean {
  const { rows, names, first } = folder;
  return rows.isSettled(first) && names.every((_, at) => {
    const row = folder.row(at);
    return rows.content(row) === undefined || rows.isSettled(row);
  });
}
