/**
 * Named contexts that are no folders: `docker-image://`, `oci-layout://`, git repositories.
 *
 * @see https://docs.docker.com/reference/cli/docker/buildx/build/#build-context
 */

import type { Digest } from "../../../lib/model/digest.ts";
import { isDigest } from "../../../lib/model/digest.ts";
import { Fault, usageFault } from "../../../lib/model/errors.ts";
import { formatReference, parseReference } from "../../../lib/model/reference.ts";
import { parseIndex } from "../../../lib/oci/documents.ts";
import type { Folders } from "./folders.ts";
import { isGitUrl } from "./git_url.ts";
import { cleanPath, joinPath } from "./options.ts";
import { gitContext } from "./remote.ts";
import type { Origin } from "./stages.ts";

const IMAGE = "docker-image://";
const LAYOUT = "oci-layout://";

/** The annotation that carries a tag in a layout's index. */
const REF_NAME = "org.opencontainers.image.ref.name";

/** What a context is that is written as something else than a folder; undefined for a folder. */
export function contextOrigin(name: string, text: string, folders: Folders): Origin | undefined {
  try {
    if (text.startsWith(IMAGE)) return imageOrigin(text.slice(IMAGE.length));
    if (text.startsWith(LAYOUT)) return layoutOrigin(text.slice(LAYOUT.length), folders);
    if (isGitUrl(text)) return { kind: "git", remote: gitContext(text) };
  } catch (error) {
    if (error instanceof Fault && error.next !== undefined) throw error;
    throw usageFault(`Cannot read the context ${name}, "${text}": ${(error as Error).message}`, {
      next: "correct it in images.ts",
      cause: error,
    });
  }
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//.exec(text) ?? [];
  const isBake = /^(?:target|input|service):/.test(text);
  if (scheme === undefined && !isBake) return undefined;
  throw usageFault(`The context ${name} cannot be "${text}"`, {
    next: isBake
      ? "name an image of this images.ts by { image: NAME }"
      : `write a folder, ${IMAGE}REFERENCE, ${LAYOUT}FOLDER or a git URL that ends in .git`,
  });
}

/** A reference as FROM means it, normalised. */
export function baseReference(name: string): string {
  const reference = parseReference(name);
  const isBare = reference.tag === undefined && reference.digest === undefined;
  return formatReference(isBare ? { ...reference, tag: "latest" } : reference);
}

function imageOrigin(name: string): Origin {
  if (name === "scratch") return { kind: "scratch" };
  return { kind: "base", reference: baseReference(name) };
}

/** A layout's image is what its index says now: that file is part of the description. */
function layoutOrigin(text: string, folders: Folders): Origin {
  const { path, tag, digest } = splitLayout(text);
  const folder = cleanPath(path);
  const index = folders.read(joinPath(folder, "index.json"));
  if (index === undefined) {
    throw usageFault(`There is no OCI layout at "${folder}"`, {
      next: "name the folder that holds its index.json, relative to images.ts",
    });
  }
  if (digest !== undefined) return { kind: "layout", folder, digest };
  const { manifests } = parseIndex(new TextEncoder().encode(index), folder);
  const tagOf = ({ annotations }: typeof manifests[number]) => annotations?.[REF_NAME];
  const wanted = tag ?? "latest";
  const found = manifests.find((each) => tagOf(each) === wanted) ??
    (tag === undefined && manifests.length === 1 ? manifests[0] : undefined);
  if (found !== undefined) return { kind: "layout", folder, digest: found.digest };
  const tags = manifests.flatMap((each) => tagOf(each) ?? []).join(", ") || "none";
  throw usageFault(`The OCI layout at "${folder}" has no image "${wanted}"`, {
    next: `write ${LAYOUT}${folder}:TAG with one of its tags: ${tags}`,
  });
}

function splitLayout(text: string): { path: string; tag?: string; digest?: Digest } {
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) {
    throw usageFault(`"${digest}" is no digest`, { next: "write sha256: and 64 hex digits" });
  }
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(":");
  const isTagged = colon > named.lastIndexOf("/");
  return {
    path: isTagged ? named.slice(0, colon) : named,
    ...(isTagged ? { tag: named.slice(colon + 1) } : {}),
    ...(digest === undefined ? {} : { digest }),
  };
}
