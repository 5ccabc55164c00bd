/** `images why`: why targets would be, or were, built; with the cascade down to the first cause. */

import { whyLines } from "../lib/report/why_lines.ts";
import { labelsOf } from "../lib/report/words.ts";
import { Explainer } from "../lib/run/why.ts";
import { Records } from "../lib/store/records.ts";
import { State } from "../lib/store/state.ts";
import { type CommonOptions, outputPalette } from "./options.ts";
import { printJson, settle } from "./run.ts";
import { print } from "./print.ts";

/** How many reasons are shown of a node, unless `-v` asks for all. */
const SHOWN = 20;

/** Prints why; answers with the exit status. */
export async function why(options: CommonOptions, target: string): Promise<number> {
  let ids: readonly string[] = [];
  const { document, project, status } = await settle(options, {
    progressOnly: true,
    command: "why",
    mode: "plan",
    targets: [target],
    all: false,
    then: (session, outcome) => {
      ids = session.targets.ids;
      return Promise.resolve(outcome);
    },
  });
  const results = [...document.images, ...document.tasks];
  const explainer = new Explainer(results, new Records(State.of(project.root)));
  const named = explainer.named(ids);
  const answers = named.map((result) => explainer.answer(result));
  if (options.json) {
    printJson(options, { ...document, why: answers });
    return status;
  }
  const limit = options.verbose ? Infinity : SHOWN;
  const settings = { palette: outputPalette(options), limit, now: Date.now() };
  const labelOf = labelsOf(results);
  const texts = answers.map((answer, at) =>
    whyLines(labelOf(named[at]!), answer, settings).join("\n")
  );
  print(texts.join("\n\n"));
  return status;
}
