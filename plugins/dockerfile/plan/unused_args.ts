/** Build arguments that are given and that nothing takes. */

import type { Script } from "../syntax/script.ts";
import { closest } from "../syntax/suggest.ts";
import type { Options } from "./options.ts";

/** What Docker takes without an ARG. @see https://docs.docker.com/reference/dockerfile/#predefined-args */
const PREDEFINED =
  /^(?:(?:https?|ftp|no|all)_proxy|BUILDKIT_\w+|SOURCE_DATE_EPOCH|(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT|STAGE))$/i;

/**
 * Says of each given argument that no ARG of the Dockerfile takes it, and which was probably meant.
 *
 * `--arg` is for all images of a run, and a base may take others by ONBUILD: of these only those are
 * named that are near to one that is there.
 */
export function unusedArgs(script: Script, options: Options): string[] {
  const declared = declaredIn(script);
  const isClosed = script.stages.every(({ from }) => isOwn(script, from.args[0]!));
  return [...options.args.keys()].filter((name) => !declared.has(name) && !PREDEFINED.test(name))
    .flatMap((name) => {
      const near = closest(name, [...declared]);
      const isLine = !options.hostArgs.has(name) && !options.ownArgs.has(name);
      if (near === undefined && (isLine || !isClosed)) return [];
      const from = isLine ? "--arg" : options.hostArgs.has(name) ? "hostEnv" : "args";
      const advice = near === undefined
        ? `add "ARG ${name}", or remove it`
        : `write ${near} if that was meant`;
      return [`No ARG of ${script.source.file} takes ${name}, which ${from} gives: ${advice}`];
    });
}

/** Names of all ARGs, those that are left by ONBUILD too. */
function declaredIn({ globals, stages }: Script): Set<string> {
  const own = [...globals, ...stages.flatMap(({ instructions }) => instructions)];
  return new Set(own.flatMap(({ keyword, args }) => {
    const left = keyword === "ONBUILD" ? /^ARG\s+(.*)$/is.exec(args[0] ?? "")?.[1] : undefined;
    const words = left === undefined ? (keyword === "ARG" ? args : []) : left.split(/\s+/);
    return words.map((word) => word.split("=", 1)[0]!);
  }));
}

/** Says whether a stage begins with nothing, or with another one. */
function isOwn({ stages }: Script, base: string): boolean {
  return base === "scratch" || stages.some(({ name }) => name === base.toLowerCase());
}
