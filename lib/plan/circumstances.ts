/** What every verdict of a run is made from. */

import type { Digest } from "../model/digest.ts";
import type { Subject } from "../model/events.ts";
import type { Overrides, Progress } from "../model/plugin.ts";
import type { Project } from "../model/recipe.ts";
import type { RemoteSource, SourceIdentity, SourceState } from "../model/source.ts";
import type { FileIndex } from "../files/index.ts";
import type { Layout } from "../store/layout.ts";
import type { Records } from "../store/records.ts";
import type { State } from "../store/state.ts";
import type { Graph } from "./graph.ts";

/** One run's view of the project, its files and its state. */
export interface Circumstances {
  readonly project: Project;
  readonly graph: Graph;
  readonly state: State;
  readonly records: Records;
  readonly layout: Layout;
  readonly index: FileIndex;
  /** `--arg K=V`. */
  readonly args: Readonly<Record<string, string>>;
  readonly overrides: Overrides;
  /** Base reference → digest, from images.lock. */
  readonly pins: ReadonlyMap<string, Digest>;
  /** Name of a remote source → what it is, from images.lock. */
  readonly pinnedSources: ReadonlyMap<string, SourceState>;
  /** Nodes to build whatever their records say. */
  readonly forced: ReadonlySet<Subject>;
  /** Tells how far the looking at a node's files is. */
  progress?(id: Subject, progress: Progress): void;
  /** Asks the registry what a base's tag means now; the answer is kept for the run. */
  resolveBase(reference: string): Promise<Digest>;
  /** Asks what remote content is now; the answer is kept for the run. */
  resolveSource(source: RemoteSource): Promise<SourceIdentity>;
}
