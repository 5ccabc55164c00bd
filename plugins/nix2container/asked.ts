/**
 * Images that must be evaluated on every run. Their guard names a file that each evaluation writes
 * anew, so that the guard never holds.
 */

import type { DescribeContext } from "../../lib/model/plugin.ts";
import type { Image } from "../../lib/model/recipe.ts";
import { removeIfThere, writeAtomic } from "../../lib/store/atomic.ts";

/** The file of an image on a platform; it is there only while the image must always be evaluated. */
export function askedFile(image: Image, { cacheDir, platform }: DescribeContext): string {
  return `${cacheDir}/nix2container/always/${image.name}@${platform.replaceAll("/", "-")}`;
}

/** Takes note of whether the next run must evaluate too. */
export function noteAsked(file: string, always: boolean): void {
  // Writing makes another file of this name: its inode tells it from the one of the guard.
  if (always) writeAtomic(file, "");
  else removeIfThere(file);
}
