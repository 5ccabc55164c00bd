import { assert, assertEquals } from "@std/assert";
import { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { full, toolTest } from "../support/tools.ts";
import { declare, inspect, TOOLS } from "./rig.ts";

/** Size of the layer, in MiB. */
const SIZE = full ? 2_048 : 192;

/** Most memory that a push may take, in MiB. */
const MEMORY = 300;

/** Bytes of a file of noise and text, in MiB pieces. */
function writeLarge(path: string, mebibytes: number): void {
  using file = Deno.openSync(path, { create: true, write: true });
  const piece = new Uint8Array(1024 * 1024);
  for (let at = 0; at < 8; at++) {
    crypto.getRandomValues(piece.subarray(at * 65_536, (at + 1) * 65_536));
  }
  for (let at = 0; at < mebibytes; at++) {
    piece[at % piece.length] = at;
    for (let done = 0; done < piece.length;) done += file.writeSync(piece.subarray(done));
  }
}

async function diskUse(folder: string): Promise<number> {
  return Number((await runTool(["du", "-sk", folder])).stdout.split("\t")[0]);
}

toolTest(
  [...TOOLS, "time"],
  `a layer of ${SIZE} MiB is pushed in flat memory and leaves nothing on the disk`,
  async () => {
    await using registry = await startLoopbackRegistry();
    await using project = await TestProject.create();
    Deno.mkdirSync(project.path("data"));
    writeLarge(project.path("data/large"), SIZE);
    declare(
      project,
      { local: registry.host },
      '{ app: files({ layers: [{ from: "data", to: "/srv" }] }) }',
    );
    await project.json(["build", "--no-remote"]);
    const before = await diskUse(project.path(".images"));
    const figures = project.beside("figures");
    const deno = [Deno.execPath(), ...project.commandLine("push", "--all", "--quiet")];
    await runTool(["/usr/bin/time", "-o", figures, "-f", "%M", ...deno], { cwd: project.root });
    const memory = Number(Deno.readTextFileSync(figures)) / 1024;
    const written = await diskUse(project.path(".images")) - before;
    assert(memory < MEMORY, `it took ${memory.toFixed(0)} MiB`);
    assert(written < 1_024, `it wrote ${written} KiB`);
    assertEquals((await inspect(`${registry.host}/app`)).Layers.length, 1);
    if (full) {
      console.log(`  ${SIZE} MiB: ${memory.toFixed(0)} MiB of memory, ${written} KiB written`);
    }
  },
);
