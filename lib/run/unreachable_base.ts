/** A base image whose registry cannot be reached, in the words for whoever builds on it. */

import { Fault } from "../model/errors.ts";
import { DOCKER_HUB, type Reference } from "../model/reference.ts";

/** What is needed of a base: the digest that its tag stands for, or its content. */
export type BaseRequest = "digest" | "content";

/** The registry of a base image cannot be reached. */
export class UnreachableBase extends Fault {
  /** Its reference. */
  readonly base: string;

  constructor(message: string, base: string, next: string, cause: Fault) {
    super(message, { kind: "unreachable", where: base, next, cause });
    this.base = base;
  }

  /** The fault of an image that is built on it, by its node's id. */
  neededBy(id: string): Fault {
    const { message, next = "", cause, place, excerpt } = this;
    const image = id.replace(/@.*$/, "");
    return new Fault(`${message}, and ${image} needs ${this.base}`, {
      kind: "unreachable",
      where: id,
      ...(place === undefined ? {} : { place }),
      ...(excerpt === undefined ? {} : { excerpt }),
      next,
      cause,
    });
  }
}

/** The fault of asking for a base, from that of its registry and why that cannot be reached. */
export function unreachableBase(
  reference: Reference,
  request: BaseRequest,
  { why, remedy }: { readonly why: string; readonly remedy?: string },
  cause: Fault,
): UnreachableBase {
  const { host } = reference;
  const elsewhere = request === "digest"
    ? "pin it where there is one"
    : "build it where there is one";
  const next = `${remedy ?? `check the network, or ${elsewhere}`} (${why})`;
  const name = host === DOCKER_HUB ? "Docker Hub" : host;
  const message = `${name} cannot be reached from here`;
  return new UnreachableBase(message, familiarName(reference), next, cause);
}

/** A reference as people write it: `node:20-alpine`, `ghcr.io/org/app@sha256:…`. */
function familiarName({ host, repository, tag, digest }: Reference): string {
  const name = host === DOCKER_HUB ? repository.replace(/^library\//, "") : `${host}/${repository}`;
  if (tag !== undefined) return `${name}:${tag}`;
  return digest === undefined ? name : `${name}@${digest.slice(0, "sha256:".length + 12)}…`;
}
