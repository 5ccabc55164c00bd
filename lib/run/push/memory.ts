/** Which blob a layer became when it was compressed, kept from one run to the next. */

import type { Digest } from "../../model/digest.ts";
import { hexOf } from "../../model/digest.ts";
import type { Descriptor } from "../../model/oci.ts";
import { sealed } from "../../model/sealed.ts";
import type { BlobMemory } from "../../registry/publish/blobs.ts";
import { writeAtomic } from "../../store/atomic.ts";
import { readSealed } from "../../store/records.ts";
import type { State } from "../../store/state.ts";

/** The memory of one project's state. Whether a registry has the blob is asked there. */
export function blobMemory(state: State): BlobMemory {
  const path = (diffId: Digest, compression: string) =>
    `${state.cache}/compressed/${compression}-${hexOf(diffId)}`;
  return {
    recall(diffId, compression) {
      return readSealed<Descriptor>(path(diffId, compression));
    },
    keep(diffId, compression, { mediaType, digest, size }) {
      writeAtomic(path(diffId, compression), sealed({ mediaType, digest, size }));
    },
  };
}
