/** `images promote`: moves or adds a tag in the registry: release and rollback, without a build. */

import { usageFault } from "../lib/model/errors.ts";
import { chooseDestination, repositoryIn } from "../lib/registry/publish/destination.ts";
import { checkTags } from "../lib/registry/publish/tags.ts";
import { findPublished, targetImages } from "../lib/run/published.ts";
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
  const project = await openProject(options);
  const destination = chooseDestination(project.registries, options.to, Deno.env.toObject());
  const { document, status } = await settle({ ...options, quiet: true }, {
    command: "promote",
    mode: "plan",
    targets: [target],
    all: false,
    destination: destination.name,
    then: async (session, outcome) => {
      const destinations = new Map<string, DestinationResult[]>();
      const images = targetImages(session);
      if (images.length === 0) {
        throw usageFault(`"${target}" is no image`, { next: "name an image or a group of images" });
      }
      const client = await session.registries.client(destination.registry.host);
      for (const image of images) {
        const { published, repository } = await findPublished(
          session,
          outcome,
          image,
          destination,
          options.from,
        );
        const { descriptor: { digest, mediaType }, bytes } = published;
        const path = repositoryIn(destination.registry, image);
        const present = await client.probe(path, options.tag);
        const isThere = present?.digest === digest;
        if (!isThere) await client.putManifest(path, options.tag, mediaType, bytes);
        const reference = `${repository}:${options.tag}`;
        const result = isThere ? "current" : "retagged";
        destinations.set(image.name, [{
          registry: destination.name,
          reference,
          digest,
          status: result,
        }]);
        if (!options.json && !options.quiet) console.error(`${reference} ${result} ${digest}`);
      }
      return { ...outcome, destinations };
    },
  });
  printJson(options, document);
  return status;
}
