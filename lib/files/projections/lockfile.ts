/** The part of a lock file that one member of a workspace can see. */

import { lockfileFormat, type LockfileProjection } from "../../model/projection.ts";
import { NotUnderstood, type Part } from "./part.ts";

/**
 * The parts that decide what is installed for a member: all that holds for the whole file, the
 * member's own entry and those of members it refers to, and every package they can reach.
 *
 * @throws where anything in the file is not understood.
 */
export async function lockfileParts(
  text: string,
  { path, workspace }: LockfileProjection,
): Promise<readonly Part[]> {
  switch (lockfileFormat(path)) {
    case "pnpm":
      return (await import("./pnpm.ts")).pnpmParts(text, workspace);
    case "npm":
      return (await import("./npm.ts")).npmParts(text, workspace);
    case "cargo":
      return (await import("./cargo.ts")).cargoParts(text, workspace);
    default:
      throw new NotUnderstood("its format is not known");
  }
}
