/** `images refs`: `repository@sha256:…` of what is published, for deployment. */

import { asFault } from "../lib/model/errors.ts";
import { chooseDestination, isAllowed } from "../lib/registry/publish/destination.ts";
import { faultMessage } from "../lib/report/faults.ts";
import { findPublished, type PublishedImage, targetImages } from "../lib/run/published.ts";
import type { CommonOptions } from "./options.ts";
import { openProject, settle } from "./run.ts";
import { print } from "./print.ts";

/** A reference stays on its line, so that it can be searched for. */
const UNFOLDED = { lineWidth: -1 };

/** Ways to write references down. */
export type RefsFormat = "text" | "json" | "env" | "kustomize" | "compose";

/** Options of `refs`. */
export interface RefsOptions extends CommonOptions {
  readonly to?: string;
  readonly from?: string;
  readonly format?: RefsFormat;
}

/** Prints references; answers with the exit status. */
export async function refs(options: RefsOptions, targets: readonly string[]): Promise<number> {
  const project = await openProject(options);
  const destination = chooseDestination(project.registries, options.to, Deno.env.toObject());
  const found: PublishedImage[] = [];
  const { document, status } = await settle({ ...options, quiet: true }, {
    command: "refs",
    mode: options.from === undefined ? "plan" : "open",
    targets,
    all: false,
    destination: destination.name,
    then: async (session, outcome) => {
      const images = targetImages(session).filter((image) =>
        targets.length > 0 || isAllowed(image, destination.name)
      );
      for (const image of images) {
        try {
          found.push(await findPublished(session, outcome, image, destination, options.from));
        } catch (error) {
          // Asked for everything, what is not published yet is told and left out.
          if (targets.length > 0) throw error;
          const fault = asFault(error);
          const remedy = fault.next === undefined ? "" : `; ${fault.next}`;
          session.notice(`${image.name}: ${faultMessage(fault, image.name)}${remedy}`);
        }
      }
      return outcome;
    },
  });
  const format = options.json ? "json" : options.format ?? "text";
  const asData = { ...document, refs: Object.fromEntries(found.map(named)) };
  print(format === "json" ? JSON.stringify(asData) : await RENDERERS[format](found));
  return status;
}

function named(each: PublishedImage): [string, string] {
  return [each.image.name, reference(each)];
}

type Renderer = (found: readonly PublishedImage[]) => string | Promise<string>;

const RENDERERS: Record<Exclude<RefsFormat, "json">, Renderer> = {
  text: (found) => found.map(reference).join("\n"),
  env: (found) => found.map((each) => `${variable(each.image.name)}=${reference(each)}`).join("\n"),
  kustomize: async (found) => {
    const { stringify } = await import("@std/yaml");
    return stringify({
      images: found.map(({ image, repository, published }) => ({
        name: image.name,
        newName: repository,
        digest: published.descriptor.digest,
      })),
    }, UNFOLDED).trimEnd();
  },
  compose: async (found) => {
    const { stringify } = await import("@std/yaml");
    const services = found.map((each) => [each.image.name, { image: reference(each) }]);
    return stringify({ services: Object.fromEntries(services) }, UNFOLDED).trimEnd();
  },
};

function reference({ repository, published }: PublishedImage): string {
  return `${repository}@${published.descriptor.digest}`;
}

/** `runner-dashboard` is `RUNNER_DASHBOARD_IMAGE`. */
function variable(name: string): string {
  return `${name.toUpperCase().replace(/[^A-Z0-9]+/g, "_")}_IMAGE`;
}
