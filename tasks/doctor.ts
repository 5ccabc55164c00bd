/** `images doctor`: whether this machine can build and publish what images.ts declares. */

import { loadProject } from "../lib/dsl/load.ts";
import { asFault, type Fault } from "../lib/model/errors.ts";
import type { Project } from "../lib/model/recipe.ts";
import { errorResult } from "../lib/run/results.ts";
import { exists } from "../lib/store/state.ts";
import { needsOfImages } from "./doctor/needs.ts";
import { lookAtRegistries } from "./doctor/registries.ts";
import { findingLines, type Findings, type ImageState } from "./doctor/findings.ts";
import { isUsable, lookAtTools } from "./doctor/tools.ts";
import { type CommonOptions, outputColumns, outputPalette } from "./options.ts";
import { printJson } from "./run.ts";
import { keepForResults, print } from "./print.ts";

/** Width of what is printed where nobody knows better, in columns. */
const COLUMNS = 80;

/**
 * Prints what is there and what is not; answers with the exit status: 2 for a fault in images.ts,
 * else 1 where a declared registry may not be written, else 3 where an image cannot be built here.
 */
export async function doctor(options: CommonOptions): Promise<number> {
  const findings = await look(options);
  const status = statusOf(findings);
  if (options.json) printJson(options, documentOf(findings, status));
  else {
    const lines = findingLines(findings, outputPalette(options), outputColumns() ?? COLUMNS);
    print(lines.join("\n"));
  }
  return status;
}

async function look(options: CommonOptions): Promise<Findings> {
  const { project, fault } = await projectOf(options);
  const needs = project === undefined ? [] : await needsOfImages(project, options);
  const [tools, registries] = await Promise.all([
    lookAtTools(needs),
    project === undefined ? [] : lookAtRegistries(project),
  ]);
  const images = needs.map(({ folder: _, ...need }): ImageState => ({
    ...need,
    ready: need.fault === undefined &&
      need.tools.every((anyOf) => anyOf.some((program) => isUsable(program, tools))),
  }));
  return { tools, registries, images, ...(fault === undefined ? {} : { fault }) };
}

/** Without images.ts there still are programs to look at. */
async function projectOf(
  { file }: CommonOptions,
): Promise<{ readonly project?: Project; readonly fault?: Fault }> {
  if (!exists(file)) return {};
  try {
    keepForResults();
    return { project: await loadProject(file) };
  } catch (error) {
    return { fault: asFault(error) };
  }
}

function statusOf({ fault, registries, images }: Findings): number {
  if (fault !== undefined) return fault.exitStatus;
  const failed = registries.some(({ writable }) => !writable) ||
    images.some((image) => image.fault !== undefined);
  if (failed) return 1;
  return images.every(({ ready }) => ready) ? 0 : 3;
}

function documentOf({ fault, ...found }: Findings, status: number) {
  const error = fault === undefined ? {} : { error: errorResult(fault) };
  return { schema: 1, command: "doctor", ok: status === 0, ...found, ...error };
}
