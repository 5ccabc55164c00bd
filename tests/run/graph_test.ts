import { assertEquals, assertStringIncludes } from "@std/assert";
import { chainProject } from "./projects.ts";

Deno.test("graph and list show what is declared, targets select of it, and clean leaves nothing", async (t) => {
  await using project = await chainProject();
  await t.step("graph", async () => {
    assertStringIncludes((await project.images("graph")).stdout, "leaf\n└─ middle\n   └─ base");
    assertStringIncludes((await project.images("graph", "--format", "mermaid")).stdout, "graph LR");
    assertStringIncludes(
      (await project.images("graph", "--format", "dot")).stdout,
      '"leaf" -> "middle";',
    );
    const { nodes } = JSON.parse((await project.images("graph", "--format", "json")).stdout);
    assertEquals(nodes.length, 4);
  });
  await t.step("list", async () => {
    assertStringIncludes((await project.images("list")).stdout, "beside  files  needs base");
  });
  await t.step("selection with NAME... and ...NAME", async () => {
    const withNeeds = await project.json(["plan", "leaf..."]);
    assertEquals(withNeeds.images.map(({ name }) => name), ["base", "middle", "leaf"]);
    const withDependents = await project.json(["plan", "...base"]);
    assertEquals(withDependents.images.map(({ name }) => name), [
      "base",
      "middle",
      "leaf",
      "beside",
    ]);
  });
  await t.step("clean", async () => {
    await project.statuses();
    const { code, stderr } = await project.images("clean");
    assertEquals([code, stderr.trim()], [0, `emptied ${project.path(".images")}`]);
    const left = [...Deno.readDirSync(project.path(".images"))].map(({ name }) => name).sort();
    assertEquals(left, [".gitignore", "locks"]);
  });
});
