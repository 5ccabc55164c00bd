/** What a watch and the worker that builds for it tell each other. */

import type { BuildOptions } from "../build.ts";

/** To the worker. */
export type Order =
  /** The first message. */
  | { readonly kind: "begin"; readonly options: BuildOptions; readonly targets: readonly string[] }
  /** Look at everything, and build what is not up to date. */
  | {
    readonly kind: "round";
    /** Paths that changed, for people. */
    readonly changed: readonly string[];
    /** Shows how things are even if nothing is to be done. */
    readonly show: boolean;
  }
  /** End the round in order. */
  | { readonly kind: "stop" }
  /** End everything that was started, at once. */
  | { readonly kind: "kill" };

/** From the worker. */
export type Answer =
  /** A round is over. */
  | {
    readonly kind: "done";
    /** Exit status that the round would have ended with. */
    readonly status: number;
    /** Whether anything was shown. */
    readonly shown: boolean;
    /** Absolute paths of the folders that were looked at, or looked for. */
    readonly folders: readonly string[];
  }
  /** All that was started is ended. */
  | { readonly kind: "killed" };
