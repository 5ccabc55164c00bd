import { assertEquals, assertStringIncludes } from "@std/assert";
import { TestProject } from "../support/project.ts";

const SITE = `{ images: { site: files({ layers: [{ from: "site", to: "/" }] }) } }`;

Deno.test("the state is kept in a folder of its own, and nothing else is taken for one", async () => {
  await using project = await TestProject.create(
    { "site/a": "a\n", "logs/own.log": "mine\n" },
    SITE,
  );
  Deno.mkdirSync(project.beside("foreign/logs"), { recursive: true });
  Deno.writeTextFileSync(project.beside("foreign/logs/own.log"), "mine\n");
  Deno.symlinkSync(project.root, project.beside("link"));
  const holdsProject = "a folder that holds the project itself";
  const refused = {
    ".": holdsProject,
    "./": holdsProject,
    "..": holdsProject,
    "/": holdsProject,
    [`${project.root}/site/..`]: holdsProject,
    [project.beside("link")]: holdsProject,
    "../foreign": "a folder that holds other files",
    [project.beside("foreign")]: "a folder that holds other files",
  };
  for (const [folder, whose] of Object.entries(refused)) {
    project.env.IMAGES_STATE_DIR = folder;
    for (const verb of ["build", "clean"]) {
      const { code, stderr } = await project.images(verb);
      assertEquals(code, 2);
      assertStringIncludes(stderr, `IMAGES_STATE_DIR names ${whose}`);
      assertStringIncludes(stderr, "next: let it name a folder of its own");
    }
  }
  for (const own of ["logs/own.log", "../foreign/logs/own.log"]) {
    assertEquals(Deno.readTextFileSync(project.path(own)), "mine\n");
  }
});

Deno.test("a state's folder may be missing, empty, or left early, and is known again", async () => {
  await using project = await TestProject.create({ "site/a": "a\n" }, SITE);
  Deno.mkdirSync(project.beside("empty"));
  Deno.mkdirSync(project.beside("early/tmp"), { recursive: true });
  for (const folder of ["state", "../missing/below", "../empty", "../early"]) {
    project.env.IMAGES_STATE_DIR = folder;
    assertEquals(await project.statuses(), { site: "built" });
    assertEquals(await project.statuses(), { site: "cached" });
    Deno.removeSync(project.path(`${folder}/.gitignore`));
    assertEquals(await project.statuses(), { site: "cached" });
    assertEquals((await project.images("clean")).code, 0);
    assertEquals(await project.statuses(), { site: "built" });
  }
});

Deno.test("the state is no input, wherever it is moved to", async () => {
  await using project = await TestProject.create(
    { "Dockerfile": "FROM scratch\nCOPY . /\n" },
    `{ images: { app: dockerfile({}), all: files({ layers: [{ from: ".", to: "/" }] }) } }`,
  );
  Deno.symlinkSync(project.path("own"), project.beside("link"));
  const keys = new Set<string>();
  for (const folder of [undefined, "state", "./own/", project.beside("link"), ".images"]) {
    if (folder === undefined) delete project.env.IMAGES_STATE_DIR;
    else project.env.IMAGES_STATE_DIR = folder;
    for (const times of [1, 2, 3]) {
      const { images } = await project.json(times === 3 ? ["build", "--force"] : ["build"]);
      keys.add(images.map(({ key }) => key).join(" "));
    }
    if (folder !== undefined && folder !== ".images") {
      Deno.removeSync(project.path(folder.includes("link") ? "own" : folder), { recursive: true });
      if (folder === "./own/") Deno.mkdirSync(project.path("own"));
    }
  }
  assertEquals(keys.size, 1);
});
