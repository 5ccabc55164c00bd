/** The implementation of `nix2container({ … })`. */

import { asFault, Fault } from "../../lib/model/errors.ts";
import type { ImageSource } from "../../lib/model/image.ts";
import type { Json } from "../../lib/model/json.ts";
import type { BuildRequest, Plugin } from "../../lib/model/plugin.ts";
import { exists } from "../../lib/store/state.ts";
import { describe } from "./describe.ts";
import { Derivations } from "./derivations.ts";
import { evaluateAll } from "./evaluate.ts";
import { imageSource } from "./image_source.ts";
import { fromJson } from "./layer_data.ts";
import { storeRootOf } from "./nix_args.ts";
import { listLayer, openLayer } from "./open_layer.ts";
import { recipeOf, sourceOf } from "./options.ts";
import { type Order, type Output, realiseAll } from "./realise.ts";
import { PLUGIN } from "./recipe.ts";
import { besideWatchers } from "./watch_store.ts";

/** Builds images from Nix derivations. */
export const plugin: Plugin = {
  ...PLUGIN,
  describe,
  identifyAll,
  build,
  buildAll,
  remoteBases: (image, identity) => {
    const derivation = derivationIn(identity);
    if (derivation === undefined) return Promise.resolve([]);
    const derivations = new Derivations(storeRootOf(recipeOf(image).args ?? []));
    return Promise.resolve(derivations.pulledBases(derivation));
  },
  openLayer: (layer, data, signal) => Promise.resolve(openLayer(layer, fromJson(data), signal)),
  listLayer: (_, data) => Promise.resolve(listLayer(fromJson(data))),
};

/** The path of the derivation: it names everything that goes into the build. */
async function identifyAll(requests: readonly BuildRequest[]): Promise<readonly (Json | Fault)[]> {
  const derivations = await derivationsOf(requests);
  return await Promise.all(derivations.map(async (derivation, at) => {
    if (derivation instanceof Fault) return derivation;
    await requests[at]!.context.once(`nix ${derivation}`, () => Promise.resolve(true));
    return { derivation };
  }));
}

async function build(request: BuildRequest): Promise<ImageSource> {
  const [built] = await buildAll([request]);
  if (built instanceof Fault) throw built;
  return built!;
}

async function buildAll(
  requests: readonly BuildRequest[],
): Promise<readonly (ImageSource | Fault)[]> {
  const fromNix = requests.filter(({ image }) => "installable" in sourceOf(image));
  const outputs = new Map<BuildRequest, Output>();
  if (fromNix.length > 0) {
    const built = await outputsOf(fromNix);
    fromNix.forEach((request, at) => outputs.set(request, built[at]!));
  }
  return requests.map((request) => {
    try {
      return imageOf(request, outputs.get(request));
    } catch (error) {
      return asFault(error, { where: request.context.name });
    }
  });
}

function imageOf(request: BuildRequest, output: Output | undefined): ImageSource {
  if (output instanceof Fault) throw output;
  const { image, context } = request;
  const source = sourceOf(image);
  if ("manifest" in source) return imageSource(request, `${context.root}/${source.manifest}`, "");
  const storeRoot = storeRootOf(recipeOf(image).args ?? []);
  return imageSource(request, `${storeRoot}${output}`, storeRoot);
}

/** Builds the image.json of each image. */
async function outputsOf(requests: readonly BuildRequest[]): Promise<readonly Output[]> {
  const derivations = await knownDerivations(requests);
  const orders: Order[] = requests.flatMap((request, at) => {
    const derivation = derivations[at]!;
    return derivation instanceof Fault ? [] : [{ request, derivation, context: request.context }];
  });
  const outputs = new Map<BuildRequest, Output>();
  await besideWatchers(requests, async () => {
    const built = await realiseAll(orders);
    orders.forEach(({ request }, at) => outputs.set(request, built.outputs[at]!));
    return built.built;
  });
  return requests.map((request, at) => outputs.get(request) ?? derivations[at]!);
}

/** The derivations of identities that are still in the store; the rest is evaluated. */
async function knownDerivations(
  requests: readonly BuildRequest[],
): Promise<readonly (string | Fault)[]> {
  const known = new Map<BuildRequest, string | Fault>();
  for (const request of requests) {
    const derivation = derivationIn(request.context.identity);
    if (derivation !== undefined && await isThere(request, derivation)) {
      known.set(request, derivation);
    }
  }
  const rest = requests.filter((request) => !known.has(request));
  const evaluated = await derivationsOf(rest);
  rest.forEach((request, at) => known.set(request, unchanged(request, evaluated[at]!)));
  return requests.map((request) => known.get(request)!);
}

/** A recorded derivation may have been collected as garbage; what this run evaluated is there. */
async function isThere({ image, context }: BuildRequest, derivation: string): Promise<boolean> {
  const storeRoot = storeRootOf(recipeOf(image).args ?? []);
  return await context.once(`nix ${derivation}`, () => {
    return Promise.resolve(exists(storeRoot + derivation));
  });
}

/** A key that was made from one derivation must not stand for another. */
function unchanged({ context }: BuildRequest, derivation: string | Fault): string | Fault {
  const before = derivationIn(context.identity);
  if (before === undefined || derivation instanceof Fault || derivation === before) {
    return derivation;
  }
  return new Fault("It evaluates to another derivation than a moment ago", {
    where: context.name,
    next: "run the command again; nothing was recorded",
  });
}

function derivationIn(identity: Json | undefined): string | undefined {
  return (identity as { readonly derivation: string } | undefined)?.derivation;
}

async function derivationsOf(
  requests: readonly BuildRequest[],
): Promise<readonly (string | Fault)[]> {
  return await evaluateAll(requests.flatMap((request) => {
    const source = sourceOf(request.image);
    return "installable" in source ? [{ request, installable: source.installable }] : [];
  }));
}
