/**
 * Pushing 1 GiB of store paths, against skopeo copying the same layers from an OCI layout to the same
 * registry; and pushing them again with one path changed, on a machine that has nothing but the
 * sources.
 */

import { assert } from "@std/assert";
import { Sha256 } from "../../lib/oci/sha256.ts";
import { writeTar } from "../../lib/oci/tar.ts";
import { tarEntries } from "../../plugins/nix2container/layer_tar.ts";
import { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { benchOnce, compare, type Contender, ROUNDS, show } from "./ratios.ts";
import { coldCopy } from "./skopeo.ts";

/** Bytes of all store paths together, and of each at most. */
const TOTAL = 1024 ** 3;
const EACH = TOTAL / 8;

benchOnce("pushes of store paths", run);

async function run(): Promise<void> {
  await using project = await TestProject.create();
  await using registry = await startLoopbackRegistry();
  const layout = project.beside("layout");
  await makeStore(project);
  define(project, registry.host, "gzip");
  assert((await project.images("export", "big", "--to", `oci:${layout}`)).code === 0);

  const removeState = async () => {
    await Deno.remove(project.path(".images"), { recursive: true }).catch(() => {});
  };
  /** Nothing is in the registry, and nothing here but the sources. */
  const empty = async (compression: string) => {
    await Deno.remove(`${registry.data}/docker`, { recursive: true }).catch(() => {});
    await removeState();
    define(project, registry.host, compression);
  };
  const push = (name: string, prepare: () => Promise<void>): Contender => ({
    name,
    command: [Deno.execPath(), ...project.commandLine("push")],
    cwd: project.root,
    prepare,
  });
  const cold = () => coldCopy(layout, registry.host, project.beside("home"));
  const copy: Contender = {
    name: "skopeo copy",
    ...await cold(),
    prepare: async () => {
      await empty("gzip");
      await cold();
    },
  };
  const contenders = [
    copy,
    push("images push, gzip", () => empty("gzip")),
    push("images push, zstd", () => empty("zstd")),
    push("images push, zstd, one path changed", async () => {
      const { code, stderr } = await project.images("push");
      assert(code === 0, stderr);
      await removeState();
      await Deno.writeTextFile(project.path("store/0/changed"), crypto.randomUUID());
      await describe(project);
    }),
  ];
  show("store paths, 1 GiB", await compare(contenders, ROUNDS));
  const { stdout } = await runTool(["du", "-sk", project.path(".images")]);
  console.log(`  written below .images by the last: ${stdout.split("\t")[0]} KiB`);
}

/** Files of this machine's own libraries, as store paths of one size. */
async function makeStore(project: TestProject): Promise<void> {
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
  await describe(project);
}

/** Writes image.json: a layer for each store path. */
async function describe(project: TestProject): Promise<void> {
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

function define(project: TestProject, host: string, compression: string): void {
  project.define(`{
    registries: { bench: registry("${host}/bench", { compression: "${compression}" }) },
    images: { big: nix2container({ manifest: "image.json" }) },
  }`);
}
