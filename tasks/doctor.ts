/** `images doctor`: whether this machine can build and publish what images.ts declares. */

import { loadProject } from "../lib/dsl/load.ts";
import { asFault, type Fault, renderFault } from "../lib/model/errors.ts";
import type { Project } from "../lib/model/recipe.ts";
import { type Palette, paletteFor } from "../lib/report/palette.ts";
import { exists } from "../lib/store/state.ts";
import { type ImageNeed, needsOfImages } from "./doctor/needs.ts";
import { lookAtRegistries, type RegistryState } from "./doctor/registries.ts";
import { lookAtTools, type ToolState } from "./doctor/tools.ts";
import { type CommonOptions, reportSettings } from "./options.ts";
import { printJson } from "./run.ts";

/** All that was found. */
interface Findings {
  readonly tools: readonly ToolState[];
  readonly images: readonly ImageNeed[];
  readonly registries: readonly RegistryState[];
  /** What is wrong with images.ts. */
  readonly fault?: Fault;
}

/**
 * Prints what is there and what is not; answers with the exit status: 2 for a fault in images.ts, 1
 * where a declared registry may not be written, 3 where an image cannot be built here.
 */
export async function doctor(options: CommonOptions): Promise<number> {
  const tools = await lookAtTools();
  const { project, fault } = await projectOf(options);
  const findings: Findings = {
    tools,
    images: project === undefined ? [] : await needsOfImages(project, options, tools),
    registries: project === undefined ? [] : await lookAtRegistries(project),
    ...(fault === undefined ? {} : { fault }),
  };
  const status = statusOf(findings);
  if (options.json) {
    printJson(options, {
      schema: 1,
      command: "doctor",
      ok: status === 0,
      tools: tools.map((tool) => ({ ...tool, neededBy: usersOf(tool, findings.images) })),
      images: findings.images,
      registries: findings.registries,
      ...(fault === undefined ? {} : { error: { message: fault.message } }),
    });
  } else {
    const color = reportSettings(options).color && Deno.stdout.isTerminal();
    for (const line of render(findings, paletteFor(color))) console.log(line);
  }
  return status;
}

async function projectOf(
  { file }: CommonOptions,
): Promise<{ readonly project?: Project; readonly fault?: Fault }> {
  if (!exists(file)) return {};
  try {
    return { project: await loadProject(file) };
  } catch (error) {
    return { fault: asFault(error) };
  }
}

function statusOf({ fault, registries, images }: Findings): number {
  if (fault !== undefined) return fault.exitStatus;
  if (registries.some(({ writable }) => !writable)) return 1;
  return images.every(({ ready }) => ready) ? 0 : 3;
}

/** Names of the images that a program can build. */
function usersOf({ programs }: ToolState, images: readonly ImageNeed[]): string[] {
  return images.filter(({ tools }) => tools.flat().some((each) => programs.includes(each)))
    .map(({ name }) => name);
}

function* render({ tools, images, registries, fault }: Findings, palette: Palette) {
  yield palette.strong("Programs");
  for (const tool of tools) {
    const users = usersOf(tool, images);
    const needed = users.length > 0 &&
      !images.every(({ name, ready }) => ready || !users.includes(name));
    const word = tool.usable ? "ok" : needed ? "MISSING" : tool.found ? "unusable" : "absent";
    const what = tool.usable ? tool.version ?? "" : tool.why ?? "";
    const why = users.length === 0 ? "" : palette.dim(` for ${users.join(", ")}`);
    yield row(word, tool.name, `${what}${why}`, palette);
    if (!tool.usable && (needed || tool.found)) yield next(tool.next, palette);
  }
  yield "";
  yield palette.strong("Registries");
  for (const each of registries) {
    const from = each.credentials === undefined
      ? "no credentials"
      : `credentials from ${each.credentials}`;
    const may = each.writable ? `may write ${each.repository}` : each.why ?? "";
    yield row(
      each.writable ? "ok" : "REFUSED",
      each.name,
      `${each.address}: ${may}; ${from}`,
      palette,
    );
    if (!each.writable) yield next(each.next, palette);
  }
  if (registries.length === 0) yield "  none is declared";
  yield "";
  const unready = images.filter(({ ready }) => !ready).map(({ name }) => name);
  for (const { name, why } of images) if (why !== undefined) yield `${name}: ${why}`;
  if (fault !== undefined) yield renderFault(fault);
  else if (images.length === 0) yield "No image is declared; `images init` writes an images.ts.";
  else if (unready.length > 0) yield `Cannot be built here: ${unready.join(", ")}`;
  else yield "Every image can be built here.";
}

function row(word: string, name: string, text: string, palette: Palette): string {
  const padded = word.padEnd(8);
  const painted = word === "ok"
    ? padded
    : word === word.toUpperCase()
    ? palette.error(padded)
    : palette.dim(padded);
  return `  ${painted}  ${palette.name(name.padEnd(13))}  ${text}`.trimEnd();
}

function next(text: string | undefined, palette: Palette): string {
  return `            ${" ".repeat(15)}${palette.notice("next:")} ${text ?? "see its own log"}`;
}
