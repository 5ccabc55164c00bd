/** What a recipe expects of its image, checked in the built layers; verdicts are kept. */

import type { Digest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import type { LocalImage } from "../model/image.ts";
import type { Json } from "../model/json.ts";
import { lazy } from "../model/lazy.ts";
import type { Image } from "../model/recipe.ts";
import { hashJson } from "../oci/hash.ts";
import { writeAtomic } from "../store/atomic.ts";
import { exists } from "../store/state.ts";
import type { Session } from "./session.ts";

/** Reads archives: not needed to find that an image was checked. */
const expectations = lazy(() => import("./expectations.ts"));

/** Names a pair of an image and what is expected of it; undefined where nothing is. */
export async function verdictOf(image: Image, imageId: Digest): Promise<string | undefined> {
  const { expect } = image.common;
  if (expect === undefined || Object.keys(expect).length === 0) return undefined;
  return await hashJson([imageId, expect as unknown as Json]);
}

/**
 * Checks an image against its recipe's expectations. A pair of image ID and expectations that has
 * passed, here or where the image was published, is not checked again; the image is opened only
 * then, and layers are read only for rules that need them.
 *
 * @param known the pair that whoever published the image checked.
 * @throws {Fault} that names every expectation that is not met.
 */
export async function verifyImage(
  session: Session,
  image: Image,
  imageId: Digest,
  open: () => Promise<LocalImage>,
  known?: string,
): Promise<void> {
  const { common: { expect = {} } } = image;
  const key = await verdictOf(image, imageId);
  const { cache } = session.circumstances.state;
  const verdict = `${cache}/verdicts/${key}`;
  if (key === undefined || key === known || exists(verdict)) return;
  const { failuresOf } = await expectations();
  const failures = await failuresOf(expect, await open(), cache, session.signal);
  if (failures.length === 0) {
    writeAtomic(verdict, "");
    return;
  }
  throw new Fault(`The built image is not what images.ts expects: ${failures.join("; ")}`, {
    where: image.name,
    ...(image.place === undefined ? {} : { place: image.place }),
    next: "correct the image, or `expect` in images.ts",
  });
}
