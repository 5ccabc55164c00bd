import { assert, assertEquals } from "@std/assert";
import { loadProject } from "../../lib/dsl/load.ts";
import type { Project } from "../../lib/model/recipe.ts";
import { hostPlatform } from "../../lib/model/platform.ts";
import { runTool } from "../support/real/program.ts";

async function load(files: Readonly<Record<string, string>>): Promise<Project> {
  const folder = await Deno.makeTempDir({ prefix: "images-dsl #%41 (ü)'-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const project = await loadProject(`${folder}/images.ts`);
    // The list of modules is read off the files when it is first asked for.
    return Object.defineProperty({ ...project }, "modules", { value: project.modules });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const HEAD = `import { define, each, registry, task } from "images";
import { dockerfile, files, nix2container, rulesImg } from "images/plugins";
`;

Deno.test("loadProject() fills in every default", async () => {
  const { images, registries, gitAnnotations, groups } = await load({
    "images.ts": `${HEAD}export default define({
      registries: { up: registry("ghcr.io/Your-Org/sub") },
      images: { app: dockerfile({ expect: undefined }) },
    });`,
  });
  assertEquals(images.get("app")?.common, {
    needs: [],
    inputs: [],
    hostEnv: [],
    platforms: [hostPlatform()],
    repository: "app",
    tags: ["latest"],
    labels: {},
    annotations: {},
    created: 0,
  });
  const { place: _, ...up } = registries.get("up")!;
  assertEquals(up, {
    host: "ghcr.io",
    prefix: "your-org/sub",
    compression: "gzip",
    insecure: false,
    trustPullRequests: false,
  });
  assertEquals(gitAnnotations, true);
  assertEquals(groups.size, 0);
});

Deno.test("loadProject() takes tables made in loops, conditions and helpers", async () => {
  const { images } = await load({
    "helper.ts": `import { files } from "images/plugins";
export const page = (name: string) => files({ layers: [{ from: name, to: "/srv" }] });
`,
    "images.ts": `${HEAD}import { page } from "./helper.ts";
export default define({
  images: {
    ...each(["one", "two"], (name) => files({ layers: [{ from: name, to: "/srv" }] })),
    ...Object.fromEntries(["three", "four"].map((name) => [name, page(name)])),
    ...(Deno.env.get("NEVER_SET_BY_ANYBODY") ? { never: page("never") } : {}),
    off: undefined,
  },
});`,
  });
  assertEquals([...images.keys()], ["one", "two", "three", "four"]);
});

Deno.test("loadProject() knows the local modules images.ts is made of", async () => {
  const { modules } = await load({
    "a.ts": `export { b } from "./b.ts";`,
    "b.ts": `export const b = 1;`,
    "ü#.ts": `export const größe = 1;`,
    "lazy.ts": `export {};`,
    "images.ts": `${HEAD}import { b } from "./a.ts";
import { größe } /* not "./100%" */ from "./ü%23.ts";
void [b, größe, await import(\`./lazy.ts\`)];
export default define({ images: {} });`,
  });
  assertEquals(modules.map((path) => path.slice(path.lastIndexOf("/") + 1)), [
    "a.ts",
    "b.ts",
    "images.ts",
    "lazy.ts",
    "ü#.ts",
  ]);
});

Deno.test("loadProject() finds what recipes refer to", async () => {
  const { images } = await load({
    "images.ts": `${HEAD}export default define({
      images: {
        base: files({ layers: [] }),
        top: files({ base: { image: "base" }, layers: [] }),
        docker: dockerfile({ contexts: { a: { image: "base" }, b: "folder" } }),
      },
    });`,
  });
  assertEquals(images.get("top")?.references, ["base"]);
  assertEquals(images.get("docker")?.references, ["base"]);
});

Deno.test("a plugin of one's own is loaded with its options", async () => {
  const { images } = await load({
    "images.ts": `import { define, plugin } from "images";
const own = plugin<{ word: string }>({
  name: "own", version: "7",
  describe: (image) => ({ options: { word: String(image.options.word) }, inputs: [] }),
  build: () => Promise.reject(new Error("not here")),
});
export default define({ images: { app: own({ word: "x", created: 5 }) } });`,
  });
  const app = images.get("app")!;
  assertEquals([app.plugin.name, app.plugin.version, app.options.word, app.common.created], [
    "own",
    "7",
    "x",
    5,
  ]);
  assert(typeof (await app.plugin.load()).describe === "function");
});

Deno.test("localModules() knows the modules that an import map gives names", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    const files = {
      "deno.json": '{ "imports": { "~/": "./shared/", "npm-thing": "npm:no-such-thing@1.0.0" } }',
      "images.ts": 'import "~/list.ts"; import "npm-thing"; import "bare"; import "node:fs";',
      "shared/list.ts": 'export * from "./deep.ts";',
      "shared/deep.ts": "",
      "main.js": `import { localModules } from "${import.meta.resolve("../../lib/dsl/modules.ts")}";
        console.log(localModules("${folder}/images.ts").join(" "));`,
    };
    Deno.mkdirSync(`${folder}/shared`);
    for (const [path, text] of Object.entries(files)) {
      Deno.writeTextFileSync(`${folder}/${path}`, text);
    }
    const { stdout } = await runTool(
      [Deno.execPath(), "run", "-A", "--no-lock", `${folder}/main.js`],
      { cwd: folder },
    );
    assertEquals(
      stdout.trim().split(" ").map((path) => path.slice(folder.length + 1)),
      ["images.ts", "shared/deep.ts", "shared/list.ts"],
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
