/** Thousands of things in a row: nothing may nest as deep as they do. */

import { assertEquals } from "@std/assert";
import { TestProject } from "../support/project.ts";

const MANY = 10_000;

Deno.test("groups in each other, ten thousand deep, stand for what is in them", async () => {
  await using project = await TestProject.create({ "x/a": "a" });
  project.define(`{
    images: { app: files({ layers: [{ from: "x", to: "/" }] }) },
    groups: each(
      Array.from({ length: ${MANY} }, (_, at) => "g" + at),
      (name) => [name === "g0" ? "app" : "g" + (Number(name.slice(1)) - 1)],
    ),
  }`);
  const { images } = await project.json(["plan", `g${MANY - 1}`, "--no-remote"]);
  assertEquals(images.map(({ name, verdict }) => [name, verdict]), [["app", "build"]]);
});
