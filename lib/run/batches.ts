/**
 * Work that several images share: identities and builds of plugins that answer for many at once.
 * A batch waits for every image that is still on its way to it, and for no other.
 */

import { asFault, Fault } from "../model/errors.ts";
import type { Subject } from "../model/events.ts";
import type { ImageSource, LocalImage } from "../model/image.ts";
import type { BuildRequest, Identity } from "../model/plugin.ts";
import type { PluginRef } from "../model/recipe.ts";
import type { PreparedImage } from "../plan/evaluate_image.ts";
import { timeLimit } from "./build_context.ts";
import type { PendingBuild } from "./build_image.ts";
import { Gate } from "./gate.ts";
import type { Session } from "./session.ts";

/** An image on its way from its needs to a build. */
export class Ticket {
  readonly #leave: () => void;
  #valid = true;

  constructor(leave: () => void) {
    this.#leave = leave;
  }

  /** Says that it will not come to a batch, or has come. */
  leave(): void {
    if (!this.#valid) return;
    this.#valid = false;
    this.#leave();
  }
}

/** A prepared image and how it gets at its needs. */
interface IdentityRequest {
  readonly prepared: PreparedImage;
  readonly need: (name: string) => Promise<LocalImage>;
}

/** The batches of one run. */
export class Batches {
  readonly #session: Session;
  readonly #identities = new Map<string, Gate<IdentityRequest, Identity | Fault>>();
  readonly #builds = new Map<string, Gate<PendingBuild, ImageSource | Fault>>();
  #underway = 0;
  #scheduled = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Takes note of an image that may join a batch. */
  enter(): Ticket {
    this.#underway += 1;
    return new Ticket(() => {
      this.#underway -= 1;
      this.#schedule();
    });
  }

  /** Asks for an image's identity, together with all that come to ask. */
  async identify(
    prepared: PreparedImage,
    need: (name: string) => Promise<LocalImage>,
  ): Promise<Identity> {
    const ref = prepared.node.image.plugin;
    const gate = this.#gateOf(
      this.#identities,
      ref,
      (all) => this.#askIdentities(ref, all),
      ({ prepared: { node } }) => node.id,
    );
    const asked = gate.ask({ prepared, need });
    this.#schedule();
    const identity = await asked;
    if (identity instanceof Fault) throw identity;
    return identity;
  }

  /** Builds an image together with all that come to be built by the same plugin. */
  async build(pending: PendingBuild, ticket: Ticket): Promise<ImageSource> {
    const ref = pending.request.image.plugin;
    const gate = this.#gateOf(
      this.#builds,
      ref,
      (all) => this.#session.slots.run(() => this.#askBuilds(ref, all)),
      ({ evaluation: { prepared: { node } } }) => node.id,
    );
    const asked = gate.ask(pending);
    ticket.leave();
    const source = await asked;
    if (source instanceof Fault) throw source;
    return source;
  }

  async #askBuilds(
    ref: PluginRef,
    all: readonly PendingBuild[],
  ): Promise<readonly (ImageSource | Fault)[]> {
    const plugin = await ref.load();
    all.forEach((each) => each.begin(all.length));
    return await plugin.buildAll!(all.map((each) => each.request));
  }

  async #askIdentities(
    ref: PluginRef,
    all: readonly IdentityRequest[],
  ): Promise<readonly (Identity | Fault)[]> {
    const plugin = await ref.load();
    const session = this.#session;
    const limits = all.map(({ prepared: { node } }) =>
      timeLimit(session.signal, node.image.common.timeout, node.id)
    );
    const { openContext } = await import("./build_image.ts");
    const opened = await Promise.all(
      all.map(({ prepared, need }, at) =>
        openContext(session, prepared, undefined, limits[at]!.signal, need)
      ),
    );
    const requests: BuildRequest[] = all.map(({ prepared }, at) => ({
      image: prepared.node.image,
      description: prepared.description,
      context: opened[at]!.context,
    }));
    try {
      limits.forEach((limit) => limit.begin());
      if (plugin.identifyAll !== undefined) return await plugin.identifyAll(requests);
      return await Promise.all(requests.map((request) => identifyOne(plugin, request)));
    } finally {
      limits.forEach((limit) => limit.clear());
      await Promise.all(opened.map(({ context }) => context.close()));
    }
  }

  #gateOf<Q, A>(
    gates: Map<string, Gate<Q, A>>,
    plugin: PluginRef,
    answer: (requests: readonly Q[]) => Promise<readonly A[]>,
    idOf: (request: Q) => Subject,
  ): Gate<Q, A> {
    const known = gates.get(plugin.name);
    if (known !== undefined) return known;
    const { graph } = this.#session.circumstances;
    const gate = new Gate(answer, (request: Q) => graph.position(idOf(request)));
    gates.set(plugin.name, gate);
    return gate;
  }

  /** Gates are looked at once everything that can go on has gone on: a timer, where there are any. */
  #schedule(): void {
    if (this.#scheduled || this.#identities.size + this.#builds.size === 0) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      const asking = [...this.#identities.values()].reduce((sum, gate) => sum + gate.size, 0);
      if (this.#underway > asking) return;
      for (const gate of this.#identities.values()) void gate.open();
      if (this.#underway > 0) return;
      for (const gate of this.#builds.values()) void gate.open();
    }, 0);
  }
}

async function identifyOne(
  plugin: Awaited<ReturnType<PluginRef["load"]>>,
  request: BuildRequest,
): Promise<Identity | Fault> {
  const { name, signal } = request.context;
  if (plugin.identify === undefined) {
    return new Fault(`Plugin "${plugin.name}" describes a guard but cannot identify`, {
      where: name,
      next: "give the plugin `identify`, or leave `guard` out of its description",
    });
  }
  try {
    return await plugin.identify(request);
  } catch (error) {
    return asFault(signal.aborted ? signal.reason : error, { where: name });
  }
}
