/** The image of this project's manual: built by the command line, unpacked, run and read. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { runTool, startServer } from "../support/real/program.ts";
import { tempFolder } from "../support/real/temp_folder.ts";
import { hasTool } from "../support/tools.ts";

const repository = fromFileUrl(new URL("../..", import.meta.url));

Deno.test("handbook builds, runs without anything of the machine, and serves its pages", async () => {
  await using folder = await tempFolder("handbook");
  const project = `${folder.path}/project`;
  await copyRepository(project);

  assertEquals(await build(project), { handbook: "built" });
  const digest = imageOf(project).digest;
  assertEquals(await build(project), { handbook: "cached" });
  assertEquals(imageOf(project).digest, digest);

  const root = `${folder.path}/root`;
  const command = await unpack(project, root);
  const port = freePort();
  await using _server = await startServer(
    inside(root, command.map((word) => word.replace(/0\.0\.0\.0:\d+/, `127.0.0.1:${port}`))),
    /Local: http/,
  );
  assertStringIncludes(await page(port, ""), "<h1>Start here</h1>");
  assertStringIncludes(await page(port, "keys.html"), '<h2 id="early-cut-off">');
  assertStringIncludes(await page(port, "style.css"), "color-scheme");
});

Deno.test("handbook links lead to pages and headings that exist", async () => {
  await using folder = await tempFolder("handbook");
  const out = `${folder.path}/site`;
  await runTool([Deno.execPath(), "run", "-A", "tasks/handbook/render.ts", out], {
    cwd: repository,
  });
  const pages = new Map(
    [...Deno.readDirSync(out)].map(({ name }) => [name, Deno.readTextFileSync(`${out}/${name}`)]),
  );
  const broken: string[] = [];
  for (const [name, html] of pages) {
    for (const [, href = ""] of html.matchAll(/<a [^>]*href="([^"]*)"/g)) {
      if (/^https?:/.test(href)) continue;
      const [file, id] = href.split("#");
      const target = pages.get(file === "" || file === undefined ? name : file);
      if (!target || (id && !target.includes(`id="${id}"`))) broken.push(`${name}: ${href}`);
    }
  }
  assertEquals(broken, []);
  assertEquals(pages.size, 12);
});

/** What the command line and images.ts need; never the state of a build. */
async function copyRepository(to: string): Promise<void> {
  await Deno.mkdir(`${to}/tests/fixtures`, { recursive: true });
  const wanted = ["deno.json", "deno.lock", "images.ts", "lib", "plugins", "tasks"];
  const there = wanted.filter((name) => exists(`${repository}/${name}`));
  await runTool(["cp", "-r", ...there, to], { cwd: repository });
  await runTool(["cp", "-r", "tests/fixtures/flywheel", `${to}/tests/fixtures/`], {
    cwd: repository,
  });
}

/** Builds the handbook; the status of each image by name. */
async function build(project: string): Promise<Record<string, string>> {
  const { stdout } = await runTool(
    [Deno.execPath(), "task", "-q", "images", "build", "handbook", "--no-remote", "--json"],
    { cwd: project, env: { IMAGES_STATE_DIR: `${project}/../state` } },
  );
  const { images } = JSON.parse(stdout) as { images: { name: string; status: string }[] };
  return Object.fromEntries(images.map(({ name, status }) => [name, status]));
}

interface Descriptor {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function imageOf(project: string): Descriptor {
  const { manifests } = readJson<{ manifests: Descriptor[] }>(`${layout(project)}/index.json`);
  const image = manifests.find(({ annotations }) =>
    annotations?.["org.opencontainers.image.ref.name"] === "handbook"
  );
  if (image === undefined) throw new Error("the layout does not name the handbook");
  return image;
}

/** Unpacks the layers in order, and says what the config starts. */
async function unpack(project: string, root: string): Promise<string[]> {
  const blob = ({ digest }: Descriptor) => `${layout(project)}/blobs/${digest.replace(":", "/")}`;
  const manifest = readJson<{ config: Descriptor; layers: Descriptor[] }>(blob(imageOf(project)));
  await Deno.mkdir(root);
  for (const layer of manifest.layers) {
    await runTool(["tar", "-x", "-f", blob(layer), "-C", root]);
  }
  const { config } = readJson<{ config: { Entrypoint: string[]; Cmd: string[] } }>(
    blob(manifest.config),
  );
  return [...config.Entrypoint, ...config.Cmd];
}

/** Only root may change the root, with a program for it; others run the same one on the same files. */
function inside(root: string, command: readonly string[]): string[] {
  if (Deno.uid() === 0 && hasTool("chroot")) return ["chroot", root, ...command];
  const [program, ...args] = command;
  return [
    `${root}${program}`,
    ...args.map((word) => word.replace("--servedir=", `--servedir=${root}`)),
  ];
}

function layout(project: string): string {
  return `${project}/../state/oci`;
}

function readJson<T>(path: string): T {
  return JSON.parse(Deno.readTextFileSync(path));
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

async function page(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/${path}`);
  const text = await response.text();
  assertEquals(response.status, 200, text);
  return text;
}

/** A port that nobody listens on; the server binds it a moment later. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
