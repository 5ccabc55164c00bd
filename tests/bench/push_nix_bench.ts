/**
 * Pushing 1 GiB of store paths, against skopeo copying the same layers from an OCI layout to the same
 * kind of registry. `deno bench` prints the ratios; peak memory and what was written to the project's
 * state follow.
 */

import { assert } from "@std/assert";
import { sha256 } from "../../lib/oci/sha256.ts";
import { Sha256 } from "../../lib/oci/sha256.ts";
import { writeTar } from "../../lib/oci/tar.ts";
import { tarEntries } from "../../plugins/nix2container/layer_tar.ts";
import { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";

/** Bytes of all store paths together, and of each at most. */
const TOTAL = 1024 ** 3;
const EACH = TOTAL / 8;

const project = await TestProject.create();
const layout = project.beside("layout");
await makeStore();
await project.images("--version");
defineFor("localhost:1", "gzip");
assert((await project.images("export", "big", "--to", `oci:${layout}`)).code === 0);

Deno.bench("skopeo copy", { group: "push", baseline: true, n: 1, warmup: 0 }, async (b) => {
  await using registry = await startLoopbackRegistry();
  b.start();
  await runTool([
    ...["skopeo", "copy", "-q", "--dest-tls-verify=false"],
    ...[`oci:${layout}:big`, `docker://${registry.host}/big:latest`],
  ]);
  b.end();
});

for (const compression of ["gzip", "zstd"]) {
  Deno.bench(`images push, ${compression}`, { group: "push", n: 1, warmup: 0 }, async (b) => {
    await using registry = await startLoopbackRegistry();
    await Deno.remove(project.path(".images"), { recursive: true }).catch(() => {});
    defineFor(registry.host, compression);
    b.start();
    const child = project.spawn("push");
    const memory = await peakOf(child);
    b.end();
    const { stdout } = await runTool(["du", "-sk", project.path(".images")]);
    console.log(
      `  ${compression}: at most ${memory} MiB of memory, ${stdout.split("\t")[0]} KiB written`,
    );
  });
}

Deno.bench(
  "images push, one path changed, empty .images",
  { group: "again", n: 1, warmup: 0 },
  async (b) => {
    await using registry = await startLoopbackRegistry();
    defineFor(registry.host, "zstd");
    assert((await project.images("push")).code === 0);
    await Deno.remove(project.path(".images"), { recursive: true });
    await Deno.writeTextFile(project.path("store/0/changed"), crypto.randomUUID());
    await describe();
    b.start();
    const { code, stderr } = await project.images("push");
    b.end();
    assert(code === 0);
    console.log(`  ${/[\d.]+ \w+ uploaded/.exec(stderr)?.[0]}`);
  },
);

globalThis.addEventListener("unload", () => {
  Deno.removeSync(project.beside(""), { recursive: true });
});

/** Files of this machine's own libraries, as store paths of one size. */
async function makeStore(): Promise<void> {
  const { stdout } = await runTool([
    "find",
    "/usr/lib",
    "/usr/share",
    "-type",
    "f",
    "-size",
    "-64M",
  ]);
  let path = 0;
  let size = 0;
  for (const file of stdout.split("\n").filter((each) => each !== "").sort()) {
    const info = Deno.lstatSync(file);
    if (size > EACH) {
      path += 1;
      size = 0;
    }
    if (path * EACH >= TOTAL) break;
    const target = project.path(`store/${path}${file}`);
    Deno.mkdirSync(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    Deno.copyFileSync(file, target);
    size += info.size;
  }
  await describe();
}

/** Writes image.json: a layer for each store path. */
async function describe(): Promise<void> {
  const names = [...Deno.readDirSync(project.path("store"))].map((entry) => entry.name).sort();
  const layers = [];
  for (const name of names) {
    const paths = [{ path: `store/${name}` }];
    const hash = new Sha256();
    let size = 0;
    for await (const chunk of writeTar(tarEntries(paths, { base: project.root, storeRoot: "" }))) {
      hash.update(chunk);
      size += chunk.length;
    }
    const digest = hash.digest();
    layers.push({ digest, size, diff_ids: digest, paths });
  }
  const image = { version: 1, "image-config": {}, layers, arch: "", created: null };
  project.write({ "image.json": JSON.stringify(image) });
}

function defineFor(host: string, compression: string): void {
  project.define(`{
    registries: { bench: registry("${host}/${
    sha256(host).slice(7, 15)
  }", { compression: "${compression}" }) },
    images: { big: nix2container({ manifest: "image.json" }) },
  }`);
}

/** Waits for a command, and answers with the most memory it used, in MiB. */
async function peakOf(child: Deno.ChildProcess): Promise<number> {
  let peak = 0;
  const timer = setInterval(() => {
    try {
      const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
      peak = Math.max(peak, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    } catch {
      // It has just ended.
    }
  }, 50);
  const { success, stderr } = await child.output();
  clearInterval(timer);
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return Math.round(peak / 1024);
}
