/** Demands that show only once the files and bases are read. */

import type { BuildContext } from "../../../lib/model/plugin.ts";
import { matcherOf } from "../../../lib/files/match.ts";
import { Unpacker } from "../native/archive.ts";
import { baseOf } from "./outside.ts";
import { FolderUse } from "../plan/select.ts";
import type { Plan } from "../plan/stages.ts";
import type { Survey } from "../plan/survey.ts";
import type { Instruction } from "../syntax/script.ts";
import type { LateDemands } from "./demands.ts";

/** Looks at the archives and bases of a plan. */
export async function lateDemands(
  plan: Plan,
  survey: Survey,
  context: BuildContext,
): Promise<LateDemands> {
  const archives: Instruction[] = [];
  const triggers: Instruction[] = [];
  for (const stage of plan.stages) {
    const base = await baseOf(stage, context);
    const left = base === undefined ? [] : plan.triggers(base.config.config?.OnBuild ?? [], stage);
    for (const { instruction, from, mounts } of left) {
      const origins = [from, ...mounts.map((mount) => mount.origin)];
      if (origins.some((origin) => origin?.kind === "stage")) triggers.push(instruction);
    }
    for (const { instruction } of stage.steps) {
      const { keyword, options } = instruction;
      if (keyword !== "ADD" || options["chown"] === undefined) continue;
      if (options["unpack"]?.[0] === "false") continue;
      if (await addsArchive(instruction, survey, context)) archives.push(instruction);
    }
  }
  return { archives, triggers };
}

async function addsArchive(
  instruction: Instruction,
  survey: Survey,
  context: BuildContext,
): Promise<boolean> {
  const unpacker = new Unpacker(context);
  for (const { folder, pattern, rules } of survey.reads.get(instruction) ?? []) {
    const use = new FolderUse(folder);
    use.add(pattern, rules);
    const matchers = await Promise.all(use.selections(context.root).inputs.map(matcherOf));
    for (const { path, type } of context.tree.entries) {
      if (type !== "file" || !path.startsWith(folder.prefix)) continue;
      const below = path.slice(folder.prefix.length);
      // What is in a folder that is added is copied as it is.
      if (!matchers.some((matcher) => matcher.takes(below))) continue;
      const base = folder.path === "." ? context.root : `${context.root}/${folder.path}`;
      if (await unpacker.isArchive(`${base}/${below}`)) return true;
    }
  }
  return false;
}
