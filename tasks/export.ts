/** `images export`: writes an image for other tools, building it first if it is not up to date. */

import { usageFault } from "../lib/model/errors.ts";
import type { Progress } from "../lib/model/plugin.ts";
import { exportImage, parseDestination } from "../lib/run/export.ts";
import { localImage } from "../lib/run/local_image.ts";
import type { SettledImage } from "../lib/run/settled.ts";
import { pulled } from "../lib/run/transfers.ts";
import type { CommonOptions } from "./options.ts";
import { refuseMixing } from "./print.ts";
import { printJson, settle } from "./run.ts";

/** Options of `export`. */
export interface ExportOptions extends CommonOptions {
  readonly to: string;
}

/** Exports one image; answers with the exit status. */
export async function exportTo(options: ExportOptions, target: string): Promise<number> {
  const destination = parseDestination(options.to, Deno.cwd());
  refuseMixing(destination.path, options);
  const { document, status } = await settle(options, {
    command: "export",
    mode: "build",
    targets: [target],
    all: false,
    then: async (session, outcome) => {
      const wanted = new Set(session.targets.ids);
      const images = outcome.settled.filter((each) =>
        each.node.type === "image" && wanted.has(each.node.id)
      ) as SettledImage[];
      const names = new Set(images.map((each) => each.node.image.name));
      if (names.size !== 1) {
        throw usageFault(`"${target}" stands for ${names.size} images; export takes one`, {
          next: "name one image",
        });
      }
      const records = images.flatMap((each) => each.record ?? []);
      if (records.length < images.length) return outcome;
      const platforms = await Promise.all(images.map(async ({ node: { id }, record }) => {
        const tell = (progress: Progress) => session.progress(id, progress);
        return pulled(await localImage(session, record!), session.circumstances.layout, tell);
      }));
      const [name = target] = names;
      await exportImage(name, platforms, destination, session.signal);
      return outcome;
    },
  });
  printJson(options, document);
  if (status === 0 && !options.quiet) console.error(`${target} is in ${options.to}`);
  return status;
}
