/** Bytes on their way, told now and then. */

import type { LocalImage, OpenableLayer } from "../model/image.ts";
import type { Progress } from "../model/plugin.ts";
import type { Layout } from "../store/layout.ts";

/** Tells how far something is. */
export type Tell = (progress: Progress) => void;

/** Bytes between two tellings. */
const STEP = 1024 * 1024;

/** Adds up the bytes of one phase, and tells of them. */
export class Meter {
  readonly #phase: string;
  readonly #total: number | undefined;
  readonly #tell: Tell;
  #done = 0;
  #told = 0;

  /** Counts from nothing; `total` is how many bytes there are, where that is known. */
  constructor(phase: string, tell: Tell, total?: number) {
    this.#phase = phase;
    this.#tell = tell;
    this.#total = total;
  }

  /** Takes note of bytes; of fewer than none where they must go again. */
  readonly add = (bytes: number): void => {
    this.#done += bytes;
    if (Math.abs(this.#done - this.#told) < STEP) return;
    this.#told = this.#done;
    const total = this.#total === undefined ? {} : { total: this.#total };
    this.#tell({ phase: this.#phase, done: this.#done, unit: "bytes", ...total });
  };
}

/** The same image, of which it is told when layers come from a registry. */
export function pulled(image: LocalImage, layout: Layout, tell: Tell): LocalImage {
  return { ...image, layers: image.layers.map((layer) => pulledLayer(layer, layout, tell)) };
}

function pulledLayer(layer: OpenableLayer, layout: Layout, tell: Tell): OpenableLayer {
  const { descriptor: { digest, size }, places } = layer;
  if (!places.some(({ at }) => at === "registry")) return layer;
  const open = async (signal?: AbortSignal) => {
    const isHere = layout.has(digest, size);
    const stream = await layer.open(signal);
    if (isHere) return stream;
    const meter = new Meter("pulling", tell, size);
    return stream.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          meter.add(chunk.length);
          controller.enqueue(chunk);
        },
      }),
    );
  };
  return { ...layer, open };
}
