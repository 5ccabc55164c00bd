/** Events of a run: data that reporters render. Nothing else prints. */

import type { Fault } from "./errors.ts";
import type { Progress } from "./plugin.ts";
import type { DestinationResult, ImageResult, ResultDocument, TaskResult } from "./result.ts";

/** Whom an event is about: `app`, or `app@linux/arm64` where an image has several platforms. */
export type Subject = string;

/** What happens in a run, in the order it happens. Times are milliseconds since the run began. */
export type RunEvent =
  /** The run begins: every node that takes part. */
  | {
    readonly kind: "began";
    readonly at: number;
    readonly command: string;
    readonly nodes: readonly {
      readonly id: Subject;
      readonly type: "image" | "task";
      readonly needs: readonly Subject[];
    }[];
  }
  /** Something starts to be checked, built, pushed. */
  | {
    readonly kind: "started";
    readonly at: number;
    readonly id: Subject;
    readonly phase: string;
    readonly detail?: string;
  }
  /** A line of a tool's output. */
  | { readonly kind: "output"; readonly at: number; readonly id: Subject; readonly line: string }
  | {
    readonly kind: "progress";
    readonly at: number;
    readonly id: Subject;
    readonly progress: Progress;
  }
  /** Something people should know that is no failure. */
  | {
    readonly kind: "notice";
    readonly at: number;
    readonly id?: Subject;
    readonly message: string;
  }
  /** A node is done. */
  | {
    readonly kind: "finished";
    readonly at: number;
    readonly id: Subject;
    readonly type: "image" | "task";
    readonly result: ImageResult | TaskResult;
    readonly fault?: Fault;
  }
  /** An image was published or, in a dry run, would be: where, and how it went. */
  | {
    readonly kind: "published";
    readonly at: number;
    readonly id: Subject;
    readonly destinations: readonly DestinationResult[];
    readonly fault?: Fault;
  }
  /** The run ends. */
  | { readonly kind: "ended"; readonly at: number; readonly document: ResultDocument };

/** Takes events as they happen. */
export type EventSink = (event: RunEvent) => void;
