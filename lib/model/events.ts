/** Events of a run: data that reporters render. Nothing else prints. */

import type { Fault, Place } from "./errors.ts";
import type { Progress } from "./plugin.ts";
import type {
  DestinationResult,
  ImageResult,
  Reason,
  ResultDocument,
  TaskResult,
} from "./result.ts";

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
  /** Something starts to be built, run, published. */
  | {
    readonly kind: "started";
    readonly at: number;
    readonly id: Subject;
    readonly phase: string;
    /** What is told beside the phase. */
    readonly detail?: string;
    /** Why, where that is known. */
    readonly reasons?: readonly Reason[];
    /** How long it took the last time, in milliseconds. */
    readonly expected?: number;
  }
  /** A line of a tool's output. */
  | { readonly kind: "output"; readonly at: number; readonly id: Subject; readonly line: string }
  /** How far something is; what has not started yet may be looked at already. */
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
  /** A node is settled: it was checked, and built where that had to be. */
  | {
    readonly kind: "finished";
    readonly at: number;
    readonly id: Subject;
    readonly type: "image" | "task";
    readonly result: ImageResult | TaskResult;
    readonly fault?: Fault;
    /** Where it was declared, if there is a fault. */
    readonly place?: Place;
  }
  /** An image was published or, in a dry run, would be: where, and how it went. */
  | {
    readonly kind: "published";
    readonly at: number;
    readonly id: Subject;
    readonly destinations: readonly DestinationResult[];
    readonly fault?: Fault;
  }
  /** An engine has an image now. */
  | {
    readonly kind: "loaded";
    readonly at: number;
    readonly id: Subject;
    readonly engine: string;
    /** Name and tag it has there. */
    readonly tag: string;
  }
  /** The run ends. */
  | {
    readonly kind: "ended";
    readonly at: number;
    readonly document: ResultDocument;
    /** Exit status. */
    readonly status: number;
    /** How long the builds took that this run did not have to repeat, in milliseconds. */
    readonly saved: number;
  };

/** Takes events as they happen. */
export type EventSink = (event: RunEvent) => void;
