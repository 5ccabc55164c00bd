/** What the command line says about a push. */

import type { NamedRegistry } from "../../registry/publish/destination.ts";

/** A push as it was asked for. */
export interface PushRequest {
  readonly destination: NamedRegistry;
  /** Tags instead of the recipes' own. */
  readonly tags: readonly string[];
  /** Images were named one by one, so each must be allowed to go there. */
  readonly named: boolean;
}
