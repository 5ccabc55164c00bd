/** A named pipe or a device at each path that is read: a fault that names it, no waiting. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { TestProject } from "../support/project.ts";
import { makeSpecialFiles } from "../support/special_files.ts";

/** Path → exit status of a build of `made`, and words of what it says. */
const PATHS: Readonly<Record<string, readonly [status: number, says: string]>> = {
  "other.ts": [2, "other.ts: Cannot load it: It is KIND, where a file should be"],
  "deep/other.ts": [2, "other.ts: Cannot load it: It is KIND, where a file should be"],
  "images.lock": [1, "images.lock: It is KIND, where a file should be"],
  "ctx/Dockerfile": [1, "ctx/Dockerfile: It is KIND, where a file should be"],
  "ctx/.dockerignore": [1, "ctx/.dockerignore: It is KIND, where a file should be"],
  "image.json": [1, "It is no image.json"],
};

const BODY = `{ images: {
  made: dockerfile({ context: "ctx" }),
  nix: nix2container({ manifest: "image.json" }),
}, groups: { all: ["made", "nix"] } }`;

for (const [path, [status, says]] of Object.entries(PATHS)) {
  Deno.test(`${path} that is no file is a fault that names it`, async () => {
    await using project = await TestProject.create({
      "ctx/Dockerfile": "FROM scratch\nCOPY a /\n",
      "ctx/a": "a",
      "other.ts": 'import "./deep/other.ts";',
      "deep/other.ts": "",
    }, BODY);
    const text = Deno.readTextFileSync(project.path("images.ts"));
    project.write({ "images.ts": `import "./other.ts";\n${text}` });
    Deno.mkdirSync(project.beside("special"));
    const special = await makeSpecialFiles(project.beside("special"));
    for (const [kind, place] of Object.entries(special)) {
      await Deno.remove(project.path(path)).catch(() => {});
      Deno.symlinkSync(place, project.path(path));
      const target = path === "image.json" ? "nix" : "made";
      const { code, stderr } = await project.images("build", target, "--no-remote");
      assertEquals(code, status, stderr);
      assertStringIncludes(stderr, says.replace("KIND", kind));
      assertStringIncludes(stderr, "next: ");
    }
  });
}
