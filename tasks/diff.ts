/** `images diff`: what differs between two images, or between an image and what is published. */

import { openOperand, type Operand, parseOperand } from "../lib/run/operands.ts";
import type { LocalImage } from "../lib/model/image.ts";
import { usageFault } from "../lib/model/errors.ts";
import type { Project } from "../lib/model/recipe.ts";
import { compareImages, type ImageComparison } from "../lib/oci/compare_images.ts";
import { chooseDestination, isAllowed, repositoryIn } from "../lib/registry/publish/destination.ts";
import { comparisonText } from "../lib/report/comparison.ts";
import { type CommonOptions, outputPalette } from "./options.ts";
import { firstError, openProject, printJson, settle } from "./run.ts";
import { print } from "./print.ts";

/** Options of `diff`. */
export interface DiffOptions extends CommonOptions {
  readonly to?: string;
  readonly from?: string;
}

/** How many files and packages are named without `--verbose`. */
const NAMED = 40;

/** The tag that one image alone is compared with. */
const PUBLISHED_TAG = "latest";

/** Prints what differs from the first to the second; answers with the exit status. */
export async function diff(
  options: DiffOptions,
  first: string,
  second: string | undefined,
): Promise<number> {
  const project = await openProject(options);
  const [before, after] = operandsOf(options, project, first, second);
  const declared = [before, after].flatMap((each) => each.kind === "declared" ? each.image : []);
  const comparisons: ImageComparison[] = [];
  const { document, status } = await settle(options, {
    command: "diff",
    mode: declared.length > 0 ? "build" : "open",
    targets: declared.map(({ name }) => name),
    all: false,
    progressOnly: true,
    then: async (session, outcome) => {
      const { platform } = session.settings;
      const wanted = platform === undefined
        ? declared.length === 0 ? undefined : declared.flatMap(({ common }) => common.platforms)
        : [platform];
      const open = async (operand: Operand) =>
        (await openOperand(session, outcome, operand, wanted)).images;
      const [old, now] = [await open(before), await open(after)];
      const { cache } = session.circumstances.state;
      for (const [a, b] of pairs(old, now, session.notice.bind(session))) {
        comparisons.push(await compareImages(a, b, cache, session.signal));
      }
      return outcome;
    },
  });
  if (options.json) {
    const found = { schema: 1, command: "diff", ok: status === 0, images: comparisons };
    printJson(options, { ...found, ...firstError(document) });
  } else {
    const palette = outputPalette(options);
    const limit = options.verbose ? Infinity : NAMED;
    const texts = comparisons.map((each) => comparisonText(each, palette, limit));
    print(texts.join("\n\n"));
  }
  return status;
}

/** One image alone is what would be pushed: it is compared with what is published. */
function operandsOf(
  options: DiffOptions,
  project: Project,
  first: string,
  second: string | undefined,
): [Operand, Operand] {
  const one = parseOperand(first, project, Deno.cwd());
  if (second !== undefined) return [one, parseOperand(second, project, Deno.cwd())];
  if (one.kind !== "declared") {
    throw usageFault(`"${first}" is not declared in images.ts, so nothing is published as it`, {
      next: "name a second image to compare it with",
    });
  }
  const { name, registry } = chooseDestination(
    project.registries,
    options.to,
    Deno.env.toObject(),
  );
  if (!isAllowed(one.image, name)) {
    throw usageFault(`Image "${first}" does not go to ${name}`, {
      next: "choose another registry with --to",
    });
  }
  const repository = repositoryIn(registry, one.image);
  const tag = options.from ?? PUBLISHED_TAG;
  return [{ kind: "reference", reference: { host: registry.host, repository, tag } }, one];
}

/** The images of each platform that both have; the only ones on both sides belong together. */
function* pairs(
  before: readonly LocalImage[],
  after: readonly LocalImage[],
  notice: (message: string) => void,
): Iterable<[LocalImage, LocalImage]> {
  const [old] = before;
  const [now] = after;
  if (old !== undefined && now !== undefined && before.length === 1 && after.length === 1) {
    yield [old, now];
    return;
  }
  for (const image of after) {
    const other = before.find(({ platform }) => platform === image.platform);
    if (other !== undefined) yield [other, image];
    else notice(`Only the second is there for ${image.platform}`);
  }
  for (const { platform } of before) {
    if (!after.some((each) => each.platform === platform)) {
      notice(`Only the first is there for ${platform}`);
    }
  }
}
