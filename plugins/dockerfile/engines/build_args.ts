/** Which build arguments are handed over, and how. */

import { declaredNames, inheritedArgs, standsOnImage } from "../plan/inherited_args.ts";
import type { Options } from "../plan/options.ts";
import type { Plan } from "../plan/stages.ts";

/** Arguments that every engine takes without ARG; they are in no image. */
const PROXIES = /^(?:https?|ftp|no|all)_proxy$/i;

/** Arguments that are settings of BuildKit itself. */
const SETTINGS = /^BUILDKIT_/;

/** The argument whose default is the recipe's `created`. */
const EPOCH = "SOURCE_DATE_EPOCH";

/**
 * The arguments that the reachable stages declare, or that a base's ONBUILD may: no others are in
 * the key, so they are not handed over either. Values from the environment stay there; they may be
 * secrets.
 *
 * @param created seconds since 1970.
 */
export function buildArgs(plan: Plan, options: Options, created: number): string[] {
  const declared = declaredNames(plan);
  const inherited = plan.stages.some(standsOnImage)
    ? inheritedArgs(plan, options).given
    : undefined;
  const isKnown = (name: string) => declared.has(name) || (inherited?.has(name) ?? false);
  const args: string[] = [];
  for (const [name, value] of options.args) {
    if (!isKnown(name) && !PROXIES.test(name) && !SETTINGS.test(name)) continue;
    args.push(options.hostArgs.has(name) ? name : `${name}=${value}`);
  }
  if (declared.has(EPOCH) && !options.args.has(EPOCH)) args.push(`${EPOCH}=${created}`);
  return args.sort();
}
