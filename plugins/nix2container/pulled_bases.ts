/**
 * The base images that derivations pull: nix2container's and nixpkgs' `pullImage` name them in
 * `sourceURL`, `pullImageFromManifest` in the addresses of blobs.
 *
 * @see https://github.com/nlewo/nix2container/blob/20d3395/default.nix
 */

import { isDigest } from "../../lib/model/digest.ts";
import type { RemoteBase } from "../../lib/model/plugin.ts";
import { formatReference, parseReference } from "../../lib/model/reference.ts";

const SOURCE_URL = /docker:\/\/([\w.:/@-]{1,1024})/g;
const BLOB_URL =
  /https?:\/\/([\w.:-]{1,255})\/v2\/([\w./-]{1,1024})\/blobs\/(sha256:[0-9a-f]{64})/g;

/** The images that a derivation's file names as sources. */
export function pulledIn(derivation: string): RemoteBase[] {
  const bases: RemoteBase[] = [];
  for (const [, name] of derivation.matchAll(SOURCE_URL)) {
    const reference = readable(name!);
    if (reference !== undefined) bases.push({ references: [reference] });
  }
  for (const [, host, repository, digest] of derivation.matchAll(BLOB_URL)) {
    const reference = readable(`${host}/${repository}`);
    if (reference !== undefined && isDigest(digest)) {
      bases.push({ references: [reference], layers: [digest] });
    }
  }
  return bases;
}

/** A reference in full; undefined where the text only looks like one. */
function readable(text: string): string | undefined {
  try {
    return formatReference(parseReference(text));
  } catch {
    return undefined;
  }
}
