/** Which programs the declared images would be built with. */

import { asFault } from "../../lib/model/errors.ts";
import type { Image, Project } from "../../lib/model/recipe.ts";
import type { ErrorResult } from "../../lib/model/result.ts";
import { describeImage } from "../../lib/plan/evaluate_image.ts";
import { errorResult } from "../../lib/run/results.ts";
import { Session } from "../../lib/run/session.ts";
import { recipeOf } from "../../plugins/rules_img/flags.ts";
import { PLUGIN as RULES_IMG } from "../../plugins/rules_img/recipe.ts";
import { workspaceOf } from "../../plugins/rules_img/bazel/workspace.ts";
import { type CommonOptions, runSettings } from "../options.ts";

/** What an image needs. */
export interface ImageNeed {
  readonly name: string;
  readonly plugin: string;
  /** Programs, any one of each list. */
  readonly tools: readonly (readonly string[])[];
  /** Absolute path of the folder they work in. */
  readonly folder: string;
  /** Why that cannot be told, and what to do about it. */
  readonly fault?: ErrorResult;
}

/** Asks every image's plugin. */
export async function needsOfImages(
  project: Project,
  options: CommonOptions,
): Promise<ImageNeed[]> {
  const { signal } = new AbortController();
  const everything = { targets: [], all: true };
  const session = new Session(project, everything, runSettings(options), () => {}, signal);
  try {
    const { circumstances: c } = session;
    const needs = new Map<string, ImageNeed>();
    for (const node of c.graph.nodes.values()) {
      if (node.type !== "image" || needs.has(node.image.name)) continue;
      const { name, plugin } = node.image;
      const common = { name, plugin: plugin.name, folder: folderOf(project, node.image) };
      try {
        const { description } = await describeImage(c, node);
        const tools = (description.tools ?? []).map(({ anyOf }) => anyOf);
        needs.set(name, { ...common, tools });
      } catch (error) {
        needs.set(name, { ...common, tools: [], fault: errorResult(asFault(error)) });
      }
    }
    return [...needs.values()];
  } finally {
    await session.close();
  }
}

/** Bazel works in its workspace, all others where images.ts is. */
function folderOf({ root }: Project, image: Image): string {
  return image.plugin.name === RULES_IMG.name ? workspaceOf(root, recipeOf({ image })).path : root;
}
