/**
 * Pushing one layer of 5,000 files and 196 MB, against skopeo copying the same layer from an OCI
 * layout to the same kind of registry; and pushing it again on a machine that has nothing but the
 * sources.
 */

import { assert } from "@std/assert";
import { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { type LoopbackRegistry, startLoopbackRegistry } from "../support/real/registry.ts";
import { coldCopy } from "./skopeo.ts";

const FILES = 5_000;
const EACH = 39_200;

/** Each is measured so often: the registry's disk is no steady thing. */
const ROUNDS = { n: 5, warmup: 0 };

const project = await TestProject.create();
const layout = project.beside("layout");
await writeFiles();
defineFor("localhost:1", "gzip");
assert((await project.images("build", "--no-remote")).code === 0);
assert((await project.images("export", "big", "--to", `oci:${layout}`)).code === 0);
await runTool(["cp", "-a", project.path(".images"), project.beside("built")]);

Deno.bench("skopeo copy", { group: "push", baseline: true, ...ROUNDS }, async (b) => {
  await using registry = await startLoopbackRegistry();
  b.start();
  await copyWithSkopeo(registry);
  b.end();
});

for (const compression of ["gzip", "zstd"]) {
  Deno.bench(`images push, ${compression}`, { group: "push", ...ROUNDS }, async (b) => {
    await using registry = await startLoopbackRegistry();
    defineFor(registry.host, compression);
    await removeState();
    await runTool(["cp", "-a", project.beside("built"), project.path(".images")]);
    b.start();
    const { code, stderr } = await project.images("push");
    b.end();
    assert(code === 0, stderr);
  });
}

Deno.bench("skopeo copy, again", { group: "again", baseline: true, ...ROUNDS }, async (b) => {
  await using registry = await startLoopbackRegistry();
  await copyWithSkopeo(registry);
  b.start();
  await copyWithSkopeo(registry);
  b.end();
});

Deno.bench("images push, again, empty .images", { group: "again", ...ROUNDS }, async (b) => {
  await using registry = await startLoopbackRegistry();
  defineFor(registry.host, "gzip");
  await removeState();
  assert((await project.images("push")).code === 0);
  await removeState();
  b.start();
  const { code, stderr } = await project.images("push");
  b.end();
  assert(code === 0 && stderr.includes("current"), stderr);
});

globalThis.addEventListener("unload", () => {
  Deno.removeSync(project.beside(""), { recursive: true });
});

async function copyWithSkopeo({ host }: LoopbackRegistry): Promise<void> {
  const { command, env } = await coldCopy(layout, host, project.beside("home"));
  await runTool(command, { env });
}

async function removeState(): Promise<void> {
  await Deno.remove(project.path(".images"), { recursive: true }).catch(() => {});
}

/** Files of one size, cut from this machine's own libraries: they compress as such things do. */
async function writeFiles(): Promise<void> {
  const { stdout } = await runTool(["find", "/usr/lib", "-type", "f", "-size", "+40k"]);
  let count = 0;
  for (const source of stdout.split("\n").filter((each) => each !== "").sort()) {
    const bytes = await Deno.readFile(source);
    const most = Math.min(bytes.length, 20 * EACH);
    for (let at = 0; at + EACH <= most && count < FILES; at += EACH, count++) {
      const folder = project.path(`data/${Math.floor(count / 100)}`);
      Deno.mkdirSync(folder, { recursive: true });
      Deno.writeFileSync(`${folder}/${count}`, bytes.subarray(at, at + EACH));
    }
    if (count === FILES) return;
  }
  throw new Error(`this machine's libraries give ${count} files only`);
}

function defineFor(host: string, compression: string): void {
  project.define(`{
    registries: { bench: registry("${host}/bench", { compression: "${compression}" }) },
    images: { big: files({ layers: [{ from: "data", to: "/srv" }] }) },
  }`);
}
