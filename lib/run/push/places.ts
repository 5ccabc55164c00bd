/** The repositories images go to and come from, with what is known of their blobs. */

import type { Image } from "../../model/recipe.ts";
import { Compressor } from "../../oci/compress.ts";
import { Blobs } from "../../registry/publish/blobs.ts";
import { type NamedRegistry, repositoryIn } from "../../registry/publish/destination.ts";
import type { Target } from "../../registry/publish/target.ts";
import type { Session } from "../session.ts";
import { blobMemory } from "./memory.ts";

/** The places of one push. */
export class Places implements AsyncDisposable {
  readonly #session: Session;
  readonly #compressor = new Compressor();
  readonly #blobs = new Map<string, Blobs>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Where an image lies in a registry. */
  async target(named: NamedRegistry, image: Image): Promise<Target> {
    const { name, registry } = named;
    const { registries, circumstances: { state } } = this.#session;
    const repository = repositoryIn(registry, image);
    const client = await registries.client(registry.host);
    const blobs = this.#blobs.get(name) ??
      new Blobs(client, registry.compression, this.#compressor, blobMemory(state));
    this.#blobs.set(name, blobs);
    const rules = await registries.rules(registry, image);
    const find = (key: string) => registries.ask(named, image, key);
    const notice = (message: string) => this.#session.notice(message, image.name);
    return { registry: name, client, blobs, repository, rules, find, notice };
  }

  /** The other registries the image may be in. */
  async sources(destination: NamedRegistry, image: Image): Promise<Target[]> {
    const others = this.#session.registries.candidates(image)
      .filter(({ name }) => name !== destination.name);
    return await Promise.all(others.map((other) => this.target(other, image)));
  }

  /** Ends what is under way, and the compressor's workers. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#blobs.values()].map((blobs) => blobs.idle()));
    this.#compressor[Symbol.dispose]();
  }
}
