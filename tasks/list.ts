/** `images list`: what images.ts declares. */

import { needsOf } from "../lib/plan/graph.ts";
import { type CommonOptions, outputPalette } from "./options.ts";
import { openProject, printJson } from "./run.ts";
import { print } from "./print.ts";

/** Prints images, tasks and groups; answers with the exit status. */
export async function list(options: CommonOptions): Promise<number> {
  const project = await openProject(options);
  const images = [...project.images.values()].map((image) => ({
    name: image.name,
    plugin: image.plugin.name,
    platforms: image.common.platforms,
    repository: image.common.repository,
    registries: image.common.registries ?? [...project.registries.keys()],
    tags: image.common.tags,
    needs: needsOf(image),
  }));
  const tasks = [...project.tasks.values()].map(({ name, needs, inputs, outputs }) => ({
    name,
    needs,
    ...(inputs === undefined ? {} : { inputs }),
    outputs,
  }));
  const groups = [...project.groups].map(([name, members]) => ({ name, members }));
  if (options.json) {
    printJson(options, { schema: 1, command: "list", ok: true, images, tasks, groups });
    return 0;
  }
  const rows = [
    ...images.map((each) => [each.name, each.plugin, needsText(each.needs)]),
    ...tasks.map((each) => [each.name, "task", needsText(each.needs)]),
    ...groups.map((each) => [each.name, "group", each.members.join(" ")]),
  ];
  const { name, dim } = outputPalette(options);
  const widths = [0, 1].map((at) => Math.max(0, ...rows.map((row) => row[at]!.length)));
  for (const [first = "", second = "", third = ""] of rows) {
    const line = `${name(first.padEnd(widths[0]!))}  ${second.padEnd(widths[1]!)}  ${dim(third)}`;
    print(third === "" ? `${name(first.padEnd(widths[0]!))}  ${second}` : line);
  }
  return 0;
}

function needsText(needs: readonly string[]): string {
  return needs.length === 0 ? "" : `needs ${needs.join(" ")}`;
}
