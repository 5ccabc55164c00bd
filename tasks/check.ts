/** `images check`: what images.ts expects of its images, and whether they come out the same twice. */

import { asFault, Fault } from "../lib/model/errors.ts";
import type { RunEvent } from "../lib/model/events.ts";
import type { Expectations } from "../lib/model/recipe.ts";
import type { ImageNode } from "../lib/plan/graph.ts";
import { driftText } from "../lib/report/drift.ts";
import { inColumns } from "../lib/report/columns.ts";
import { faultDetails, faultMessage } from "../lib/report/faults.ts";
import type { Palette } from "../lib/report/palette.ts";
import { printable } from "../lib/report/printable.ts";
import { countText } from "../lib/report/words.ts";
import { type ComparableBuild, type Drift, driftBetween } from "../lib/run/drift.ts";
import { localImage } from "../lib/run/local_image.ts";
import { Runner } from "../lib/run/runner.ts";
import { Session } from "../lib/run/session.ts";
import type { Settled, SettledImage } from "../lib/run/settled.ts";
import { verifyImage } from "../lib/run/verify.ts";
import { State } from "../lib/store/state.ts";
import { type CommonOptions, outputPalette, runSettings } from "./options.ts";
import { openProject, printJson, settle } from "./run.ts";
import { print } from "./print.ts";

/** Options of `check`. */
export interface CheckOptions extends CommonOptions {
  readonly rebuild?: boolean | undefined;
}

/** An image after its check; one that is not built has failed before. */
interface Checked {
  readonly image: SettledImage;
  readonly isBuilt: boolean;
}

/** How many files of a layer are named without `--verbose`. */
const NAMED = 20;

/** Checks the targets; answers with the exit status. */
export function check(options: CheckOptions, targets: readonly string[]): Promise<number> {
  return options.rebuild ? checkRebuild(options, targets) : checkExpectations(options, targets);
}

async function checkExpectations(
  options: CheckOptions,
  targets: readonly string[],
): Promise<number> {
  const checked: Checked[] = [];
  const { document, status } = await settle(options, {
    command: "check",
    mode: "build",
    targets,
    all: false,
    progressOnly: true,
    // One that is not as expected says nothing about the others.
    settings: { keepGoing: true },
    then: async (session, outcome) => {
      const settled = await Promise.all(outcome.settled.map((each) => verified(session, each)));
      const wanted = new Set(session.targets.ids);
      outcome.settled.forEach((built, at) => {
        const image = settled[at]!;
        if (isImage(image) && wanted.has(image.node.id)) {
          checked.push({ image, isBuilt: built.fault === undefined });
        }
      });
      return { ...outcome, settled };
    },
  });
  if (options.json) {
    const checks = checked.map(({ image: { node, fault } }) => ({
      id: node.id,
      expectations: countOf(node.image.common.expect),
      met: fault === undefined,
    }));
    printJson(options, { ...document, checks });
  } else printExpectations(options, checked);
  return status;
}

/** An image that is not what is expected of it has failed, whatever its build came to. */
async function verified(session: Session, settled: Settled): Promise<Settled> {
  if (!isImage(settled) || !session.targets.ids.includes(settled.node.id)) return settled;
  const { record, node: { image } } = settled;
  if (record === undefined) return settled;
  try {
    await verifyImage(session, image, record.imageId, () => localImage(session, record));
    return settled;
  } catch (error) {
    return { ...settled, status: "failed", fault: asFault(error, { where: settled.node.id }) };
  }
}

function isImage(settled: Settled): settled is SettledImage {
  return settled.node.type === "image";
}

/** A line for each image; below one that is not as expected, what to do. */
function printExpectations(options: CheckOptions, checked: readonly Checked[]): void {
  const palette = outputPalette(options);
  const { mark, name } = palette;
  const rows = checked.map(({ image: { node, status, fault }, isBuilt }) => [
    `${mark(fault === undefined ? "built" : status ?? "failed")} ${name(node.id)}`,
    // Why it could not be built was told when that was found.
    isBuilt ? verdictText(node, fault, palette) : palette.status(status ?? "failed"),
  ]);
  inColumns(rows).forEach((line, at) => {
    print(line);
    const { image: { fault }, isBuilt } = checked[at]!;
    if (fault === undefined || !isBuilt) return;
    for (const detail of faultDetails(fault, palette)) print(`  ${printable(detail, false)}`);
  });
}

function verdictText({ id, image }: ImageNode, fault: Fault | undefined, palette: Palette): string {
  if (fault !== undefined) return palette.error(printable(faultMessage(fault, id), false));
  const count = countOf(image.common.expect);
  return count === 0
    ? palette.dim("nothing is expected of it")
    : `${countText(count, "expectation")} met`;
}

/** How many things are expected. */
function countOf(expect: Expectations = {}): number {
  const { files = [], absent = [], env = {}, labels = {}, ...others } = expect;
  const named = Object.keys(env).length + Object.keys(labels).length;
  return files.length + absent.length + named + Object.keys(others).length;
}

/** Both builds have a state of their own: nothing of an earlier one is used, and nothing is kept. */
async function checkRebuild(options: CheckOptions, targets: readonly string[]): Promise<number> {
  const project = await openProject(options);
  const own = State.of(project.root);
  const folder = own.temporaryFolder("rebuild");
  const drifts: Drift[] = [];
  try {
    const { document, status } = await settle({ ...options, force: false, remote: false }, {
      command: "check",
      mode: "build",
      targets,
      all: false,
      progressOnly: true,
      settings: {
        state: new PassingState(`${folder.path}/1`, own),
        overrides: { ...runSettings(options).overrides, noCache: true },
      },
      then: async (session, outcome) => {
        if (outcome.settled.some(({ fault }) => fault !== undefined)) return outcome;
        const second = new PassingState(`${folder.path}/2`, own);
        const settled = await buildAgain(session, second, targets, async (other) => {
          drifts.push(...await driftBetween({ session, settled: outcome.settled }, other));
        });
        return { ...outcome, settled: settled.map((each) => drifted(each, drifts)) };
      },
    });
    if (options.json) printJson(options, { ...document, drifts });
    else if (drifts.length > 0) {
      print(driftText(drifts, outputPalette(options), options.verbose ? Infinity : NAMED));
    }
    return status;
  } finally {
    await folder[Symbol.asyncDispose]();
  }
}

/** A state that is removed after its builds; what they printed can be read on. */
class PassingState extends State {
  readonly #lasting: State;

  constructor(folder: string, lasting: State) {
    super(folder);
    this.#lasting = lasting;
  }

  override log(subject: string): string {
    return this.#lasting.log(subject);
  }
}

/** Builds the same once more beside a session, and has it looked at while it can be opened. */
async function buildAgain(
  first: Session,
  state: State,
  targets: readonly string[],
  look: (second: ComparableBuild) => Promise<void>,
): Promise<readonly Settled[]> {
  const { circumstances: { project }, settings, signal } = first;
  const sink = ({ at: _, ...event }: RunEvent) => first.emit(event);
  const wanted = { targets, all: false };
  const second = new Session(project, wanted, { ...settings, state }, sink, signal);
  try {
    const settled = await new Runner(second, "build").run();
    if (settled.every(({ fault }) => fault === undefined)) await look({ session: second, settled });
    return settled;
  } finally {
    await second.close();
  }
}

function drifted(settled: Settled, drifts: readonly Drift[]): Settled {
  const drift = drifts.find(({ id }) => id === settled.node.id);
  if (drift === undefined || drift.same) return settled;
  const fault = new Fault("It does not come out the same twice", {
    where: settled.node.id,
    next: "see what differs, and let what makes it not depend on time, chance or order",
  });
  return { ...settled, status: "failed", fault };
}
