/** Which programs the declared images would be built with. */

import { asFault } from "../../lib/model/errors.ts";
import type { Project } from "../../lib/model/recipe.ts";
import { describeImage } from "../../lib/plan/evaluate_image.ts";
import { Session } from "../../lib/run/session.ts";
import { type CommonOptions, runSettings } from "../options.ts";
import type { ToolState } from "./tools.ts";

/** What an image needs here. */
export interface ImageNeed {
  readonly name: string;
  readonly plugin: string;
  /** Programs, any one of each list. */
  readonly tools: readonly (readonly string[])[];
  /** It can be built here as far as programs go. */
  readonly ready: boolean;
  /** Why that cannot be told. */
  readonly why?: string;
}

/** Asks every image's plugin. */
export async function needsOfImages(
  project: Project,
  options: CommonOptions,
  states: readonly ToolState[],
): Promise<ImageNeed[]> {
  const { signal } = new AbortController();
  const everything = { targets: [], all: true };
  const session = new Session(project, everything, runSettings(options), () => {}, signal);
  const { circumstances: c } = session;
  const needs = new Map<string, ImageNeed>();
  for (const node of c.graph.nodes.values()) {
    if (node.type !== "image" || needs.has(node.image.name)) continue;
    const { name, plugin } = node.image;
    try {
      const { description } = await describeImage(c, node);
      const tools = (description.tools ?? []).map(({ anyOf }) => anyOf);
      const ready = tools.every((anyOf) => anyOf.some((program) => isUsable(program, states)));
      needs.set(name, { name, plugin: plugin.name, tools, ready });
    } catch (error) {
      const why = asFault(error).message;
      needs.set(name, { name, plugin: plugin.name, tools: [], ready: true, why });
    }
  }
  return [...needs.values()];
}

/** Programs that are not looked at count as what the plugin finds on PATH. */
function isUsable(program: string, states: readonly ToolState[]): boolean {
  const state = states.find(({ programs }) => programs.includes(program));
  return state?.usable ?? true;
}
