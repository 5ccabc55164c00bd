/** Building derivations: one `nix build` for all images of a run that ask for it alike. */

import { Fault, type FaultOptions } from "../../lib/model/errors.ts";
import type { BuildRequest } from "../../lib/model/plugin.ts";
import { type Answers, together } from "../../lib/model/together.ts";
import { runProcess } from "../../lib/process/run.ts";
import { exists } from "../../lib/store/state.ts";
import { Derivations } from "./derivations.ts";
import { FEATURES, storeRootOf } from "./nix_args.ts";
import { type Built, NixLog } from "./nix_log.ts";
import { recipeOf, sourceOf } from "./options.ts";
import { unusableFault } from "./unusable.ts";
import { outputsOf } from "./version.ts";

/** A derivation to build for an image. */
export interface Order extends Built {
  readonly request: BuildRequest;
}

/** Path of an output in the store, or why it was not built. */
export type Output = string | Fault;

/** What came of building. */
export interface Realised {
  /** In the order of what was asked for. */
  readonly outputs: readonly Output[];
  /** Paths of the machine's store that were not there before. */
  readonly built: readonly string[];
}

/** Builds derivations. */
export async function realiseAll(orders: readonly Order[]): Promise<Realised> {
  const outputs = new Map<Order, Output>();
  const begun = new Set<string>();
  const groups = Map.groupBy(
    orders,
    ({ request }) => JSON.stringify([argsOf(request), envOf(request)]),
  );
  for (const group of groups.values()) {
    // What failed is left out, and the rest is asked for again: it is built by then.
    const answers = await together(group, async (open, signal) => {
      const storeRoot = storeRootOf(argsOf(open[0]!.request));
      const log = new NixLog(open, new Derivations(storeRoot));
      try {
        return await build(open, log, signal);
      } finally {
        if (storeRoot === "") log.outputs.forEach((path) => begun.add(path));
      }
    });
    group.forEach((order, at) => outputs.set(order, answers[at]!));
  }
  const built = [...begun].filter(exists);
  return { outputs: orders.map((order) => outputs.get(order)!), built };
}

/** Runs one `nix build`; every time it answers for one image at least. */
async function build(
  orders: readonly Order[],
  log: NixLog,
  signal: AbortSignal,
): Promise<Answers<Order, string>> {
  const [{ request, context }] = orders as [Order];
  const args = argsOf(request);
  const derivations = [...new Set(orders.map(({ derivation }) => derivation))];
  const wanted = await Promise.all(derivations.map((each) => outputsOf(context, each)));
  const { code, stdout } = await runProcess(
    [
      ...["nix", "build", "--json", "--no-link", "--keep-going", "--log-format", "internal-json"],
      ...FEATURES,
      ...args,
      ...wanted,
    ],
    {
      cwd: context.root,
      env: envOf(request),
      capture: true,
      allowFailure: true,
      signal,
      where: context.name,
      onLine: (line) => log.line(line),
    },
  );
  return code === 0 ? outputsIn(stdout, orders) : failures(orders, log);
}

/** The outputs of each derivation by name. */
interface BuildResult {
  readonly drvPath?: string;
  readonly outputs?: Readonly<Record<string, string>>;
}

function outputsIn(stdout: string, orders: readonly Order[]): Answers<Order, string> {
  const results = JSON.parse(stdout) as readonly BuildResult[];
  const byDerivation = new Map(results.map(({ drvPath, outputs }) => [drvPath, outputs]));
  return new Map(orders.map((order) => {
    return [order, outputOf(order, byDerivation.get(order.derivation) ?? {})];
  }));
}

/** An image is the output that is named, else `out`, or the only one. */
function outputOf(order: Order, outputs: NonNullable<BuildResult["outputs"]>): Output {
  const { image, context } = order.request;
  const source = sourceOf(image);
  const named = "installable" in source && source.installable.kind === "flake"
    ? source.installable.output
    : undefined;
  if (named === undefined) {
    const output = outputs.out ?? Object.values(outputs)[0];
    return output ?? notBuilt(order, "it does not say where the output is");
  }
  return outputs[named] ?? new Fault(`What was built has no output "${named}"`, {
    where: context.name,
    ...(image.place === undefined ? {} : { place: image.place }),
    next: `name one of its outputs in \`installable\`: ${Object.keys(outputs).join(", ")}`,
  });
}

/** Those whose derivations the errors name have failed; where none is named, all have. */
function failures(orders: readonly Order[], log: NixLog): Answers<Order, string> {
  const failed = new Map<Order, Output>();
  for (const order of orders) {
    const unusable = log.errors.map((error) => unusableFault(error, placeOf(order)))
      .find((fault) => fault !== undefined);
    if (unusable !== undefined) failed.set(order, unusable);
  }
  if (failed.size > 0) return failed;
  for (const error of log.errors.length === 0 ? ["it ended without a word"] : log.errors) {
    for (const order of log.concerned(error) as readonly Order[]) {
      if (!failed.has(order)) failed.set(order, notBuilt(order, error.split("\n")[0]!));
    }
  }
  return failed.size === 0 ? new Map(orders.map((each) => [each, notBuilt(each, "")])) : failed;
}

function notBuilt(order: Order, why: string): Fault {
  return new Fault(`Nix could not build it: ${why.replace(/[;,.]$/, "")}`, {
    ...placeOf(order),
    ...(order.request.image.place === undefined ? {} : { place: order.request.image.place }),
    next: "read what its builder printed in the log",
  });
}

function placeOf({ context }: Order): FaultOptions {
  return { where: context.name, log: context.logFile };
}

function argsOf({ image }: BuildRequest): readonly string[] {
  return recipeOf(image).args ?? [];
}

function envOf({ context }: BuildRequest): Readonly<Record<string, string>> {
  return context.env;
}
