/** `images inspect`: looks into an image of images.ts, of a registry, or of an OCI layout. */

import { inspectImage, type Inspection } from "../lib/oci/inspect.ts";
import { inspectionText } from "../lib/report/inspection.ts";
import { openOperand, parseOperand } from "../lib/run/operands.ts";
import { type CommonOptions, outputPalette } from "./options.ts";
import { firstError, openProject, printJson, settle } from "./run.ts";
import { print } from "./print.ts";

/** How many of the largest files, and of the wasted ones, are named. */
const NAMED = 10;

/** How many are with `--verbose` or `--json`. */
const NAMED_IN_FULL = 100;

/** Prints what an image consists of; answers with the exit status. */
export async function inspect(options: CommonOptions, target: string): Promise<number> {
  const operand = parseOperand(target, await openProject(options), Deno.cwd());
  const declared = operand.kind === "declared";
  const inspections: Inspection[] = [];
  const count = options.verbose || options.json ? NAMED_IN_FULL : NAMED;
  const { document, status } = await settle(options, {
    command: "inspect",
    mode: declared ? "build" : "open",
    targets: declared ? [target] : [],
    all: false,
    progressOnly: true,
    then: async (session, outcome) => {
      const { platform } = session.settings;
      const wanted = platform === undefined ? undefined : [platform];
      const { images, others } = await openOperand(session, outcome, operand, wanted);
      const { cache } = session.circumstances.state;
      for (const image of images) {
        inspections.push(await inspectImage(image, cache, count, session.signal));
      }
      if (others.length > 0) {
        session.notice(`It is there for ${others.join(", ")} too; --platform chooses`);
      }
      return outcome;
    },
  });
  if (options.json) {
    const found = { schema: 1, command: "inspect", ok: status === 0, images: inspections };
    printJson(options, { ...found, ...firstError(document) });
  } else {
    const palette = outputPalette(options);
    const texts = inspections.map((each) => inspectionText(each, palette, count));
    print(texts.join("\n\n"));
  }
  return status;
}
