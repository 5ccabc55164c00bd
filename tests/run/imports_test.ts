/**
 * What runs before it is known that anything must be built imports no module of Node: they take
 * longer than all else that a run without changes does.
 */

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { runTool } from "../support/real/program.ts";

const TASKS = fromFileUrl(new URL("../../tasks/", import.meta.url));

/** A module as `deno info --json` tells it. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier?: string };
    readonly isDynamic?: boolean;
  }[];
}

for (const verb of ["main", "cli/command_line", "build", "plan", "list", "graph"]) {
  Deno.test(`${verb}.ts imports nothing of Node before it is needed`, async () => {
    const { stdout } = await runTool([Deno.execPath(), "info", "--json", `${TASKS}${verb}.ts`]);
    const { roots, modules } = JSON.parse(stdout) as { roots: string[]; modules: Module[] };
    const imported = importedBy(roots[0]!, modules);
    assertEquals([...imported].filter((each) => each.startsWith("node:")), []);
    assertEquals(imported.has(`file://${TASKS}${verb}.ts`), true);
  });
}

/** A module and all that is loaded before it runs. */
function importedBy(root: string, modules: readonly Module[]): Set<string> {
  const bySpecifier = new Map(modules.map((each) => [each.specifier, each]));
  const imported = new Set([root]);
  for (const specifier of imported) {
    for (const { code, isDynamic } of bySpecifier.get(specifier)?.dependencies ?? []) {
      if (!isDynamic && code?.specifier !== undefined) imported.add(code.specifier);
    }
  }
  return imported;
}
