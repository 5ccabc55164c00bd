import { assertEquals } from "@std/assert";
import type { Project, Task } from "../../lib/model/recipe.ts";
import { graphOf } from "../../lib/plan/graph.ts";
import { type Branch, treeRows } from "../../lib/report/tree.ts";

const LENGTH = 20_000;

/** A project whose tasks are a chain. */
function chain(needOf: (at: number) => number): Project {
  const tasks = Array.from({ length: LENGTH }, (_, at) => {
    const need = needOf(at);
    return { name: `t${at}`, needs: need >= 0 && need < LENGTH ? [`t${need}`] : [] };
  });
  return {
    images: new Map(),
    tasks: new Map(tasks.map((task) => [task.name, task as unknown as Task])),
  } as unknown as Project;
}

Deno.test("graphOf() puts needs first in a chain of thousands, whichever way it is declared", () => {
  const names = Array.from({ length: LENGTH }, (_, at) => `t${at}`);
  const up = graphOf(chain((at) => at - 1));
  assertEquals([...up.nodes.keys()], names);
  const down = graphOf(chain((at) => at + 1));
  assertEquals([...down.nodes.keys()], names.toReversed());
  assertEquals(down.closure(["t0"]).length, LENGTH);
});

Deno.test("treeRows() writes a chain of thousands without indenting it further and further", () => {
  const branch = (at: number): Branch<number> => ({
    value: at,
    children: () => at < LENGTH ? [branch(at + 1)] : [],
  });
  const rows = treeRows([branch(0)]);
  assertEquals(rows.map(({ value }) => value), Array.from({ length: LENGTH + 1 }, (_, at) => at));
  assertEquals(rows[2]!.lead, "   └─ ");
  assertEquals(rows.at(-1)!.lead.length, rows[100]!.lead.length);
});
