/** Whether bases are for the platform that is built. */

import type { LocalImage } from "../../../lib/model/image.ts";
import { parsePlatform } from "../../../lib/model/platform.ts";
import { faultAt } from "../syntax/place.ts";
import type { Plan, PlannedStage } from "./stages.ts";

/**
 * Checks a stage's base: one of another architecture would give an image that does not start.
 *
 * @throws {Fault} with the line of its FROM.
 */
export function checkBase(image: LocalImage, planned: PlannedStage, plan: Plan): void {
  const wanted = parsePlatform(planned.platform ?? plan.platform);
  const { os, architecture } = image.config;
  const isSame = os === wanted.os && architecture === wanted.architecture;
  if (isSame || !architecture) return;
  const { from } = planned.stage;
  throw faultAt(
    plan.script.source,
    from,
    `The base is for ${os}/${architecture}, not for ${wanted.os}/${wanted.architecture}`,
    { word: from.args[0]!, next: "take a base that has this platform, or change platforms" },
  );
}
