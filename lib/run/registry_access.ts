/** A run's view of registries. */

import type { Digest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import type { BlobPlace, LocalImage } from "../model/image.ts";
import type { Descriptor } from "../model/oci.ts";
import type { Project } from "../model/recipe.ts";
import type { ImageEvaluation } from "../plan/evaluate_image.ts";
import type { ImageRecord } from "../store/records.ts";
import type { Session } from "./session.ts";

/** Registries, as far as a run needs them. */
export class RegistryAccess {
  constructor(readonly project: Project, readonly session: Session) {}

  resolveBase(reference: string): Promise<Digest> {
    throw new Fault(`Cannot resolve the base ${reference}`);
  }
  base(reference: string, _digest: Digest, _platform: string): Promise<LocalImage> {
    throw new Fault(`Cannot open the base ${reference}`);
  }
  find(_evaluation: ImageEvaluation): Promise<ImageRecord | undefined> {
    return Promise.resolve(undefined);
  }
  openBlob(
    _place: BlobPlace,
    descriptor: Descriptor,
    _signal?: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    throw new Fault(`Cannot read ${descriptor.digest}`);
  }
  readDocument(
    _remote: { host: string; repository: string },
    descriptor: Descriptor,
  ): Promise<Uint8Array> {
    throw new Fault(`Cannot read ${descriptor.digest}`);
  }
}
