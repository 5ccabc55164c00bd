import { assert, assertEquals } from "@std/assert";
import { Outputs } from "../../lib/report/output.ts";

Deno.test("the last lines of a build are kept, and how many are not is said", () => {
  const outputs = new Outputs();
  for (let at = 0; at < 12_003; at++) outputs.add("a", `line ${at}`);
  outputs.add("b", "another");
  const [head, ...lines] = outputs.take("a");
  assertEquals(head, "… 7003 earlier lines are in the log");
  assertEquals([lines.length, lines[0], lines.at(-1)], [5_000, "line 7003", "line 12002"]);
  assertEquals(outputs.take("b"), ["another"]);
  assertEquals(outputs.take("a"), []);
});

Deno.test("no more is kept than people read, however long lines are", () => {
  const outputs = new Outputs();
  const piece = "x".repeat(64 * 1024);
  for (let at = 0; at < 320; at++) outputs.add("a", piece);
  outputs.add("a", "the last word");
  const [head, ...lines] = outputs.take("a");
  assert(lines.join("").length <= 512 * 1024);
  assertEquals(head, `… ${321 - lines.length} earlier lines are in the log`);
  assertEquals(lines.at(-1), "the last word");
  outputs.add("a", "y".repeat(1024 * 1024));
  assertEquals(outputs.take("a"), ["… 1 earlier lines are in the log"]);
});
