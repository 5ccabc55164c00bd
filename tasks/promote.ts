/** `images promote`: moves or adds a tag in the registry: release and rollback, without a build. */

import { isDigest } from "../lib/model/digest.ts";
import { usageFault } from "../lib/model/errors.ts";
import { isTag } from "../lib/model/reference.ts";
import { chooseDestination, type NamedRegistry } from "../lib/registry/publish/destination.ts";
import { promoteTag } from "../lib/registry/publish/mutable_tags.ts";
import { checkTags } from "../lib/registry/publish/tags.ts";
import { referenceOf } from "../lib/registry/publish/target.ts";
import { movePolicy } from "../lib/run/push/facts.ts";
import { Places } from "../lib/run/push/places.ts";
import { findPublished, type PublishedImage, targetImages } from "../lib/run/published.ts";
import type { Session } from "../lib/run/session.ts";
import type { DestinationResult } from "../lib/model/result.ts";
import type { CommonOptions } from "./options.ts";
import { openProject, printJson, settle } from "./run.ts";

/** Options of `promote`. */
export interface PromoteOptions extends CommonOptions {
  readonly tag: string;
  readonly from?: string;
  readonly to?: string;
}

/** Lets a tag stand for what another stands for; answers with the exit status. */
export async function promote(options: PromoteOptions, target: string): Promise<number> {
  checkTags([options.tag]);
  if (options.from !== undefined && !isTag(options.from) && !isDigest(options.from)) {
    throw usageFault(`--from "${options.from}" is no tag and no digest`, {
      next: "name a tag that `images refs` or the registry lists",
    });
  }
  const project = await openProject(options);
  const destination = chooseDestination(project.registries, options.to, Deno.env.toObject());
  const { document, status } = await settle({ ...options, quiet: true }, {
    command: "promote",
    mode: options.from === undefined ? "plan" : "open",
    targets: [target],
    all: false,
    destination: destination.name,
    then: async (session, outcome) => {
      const images = targetImages(session);
      if (images.length === 0) {
        throw usageFault(`"${target}" is no image`, { next: "name an image or a group of images" });
      }
      // All of them are looked for before the first tag moves.
      const found: PublishedImage[] = [];
      for (const image of images) {
        found.push(await findPublished(session, outcome, image, destination, options.from));
      }
      const destinations = new Map<string, DestinationResult[]>();
      for (const each of found) {
        const result = await move(session, each, destination, options);
        destinations.set(each.image.name, [result]);
        const { reference, status, digest } = result;
        if (!options.json && !options.quiet) console.error(`${reference} ${status} ${digest}`);
      }
      return { ...outcome, destinations };
    },
  });
  printJson(options, document);
  return status;
}

async function move(
  session: Session,
  { image, published }: PublishedImage,
  named: NamedRegistry,
  { tag, from }: PromoteOptions,
): Promise<DestinationResult> {
  const { descriptor: { digest } } = published;
  await using targets = new Places(session);
  const target = await targets.target(named, image);
  const policy = movePolicy(session, false);
  const isMoved = await promoteTag(target, tag, published, from, policy);
  const reference = referenceOf(target, tag);
  return { registry: named.name, reference, digest, status: isMoved ? "retagged" : "current" };
}
