/** Why nodes would be, or were, built: their reasons, and those of what made them so. */

import type { ErrorResult, ImageResult, Reason, TaskResult, Verdict } from "../model/result.ts";
import type { ImageRecord, Records, TaskRecord } from "../store/records.ts";

type Result = ImageResult | TaskResult;

/** One node's answer, with those of the needs that are part of the cause. */
export interface Answer {
  readonly name: string;
  readonly platform?: string;
  /** What would be done now. */
  readonly verdict: Verdict;
  /** Why that cannot be told. */
  readonly error?: ErrorResult;
  /** Why it would be built now. */
  readonly reasons: readonly Reason[];
  /** The needs among the reasons, and why they would be built, or were since the last build. */
  readonly causes: readonly Answer[];
  /** The reasons that everything began with, and whose they are. */
  readonly first: readonly FirstCause[];
  /** The last build. */
  readonly last?: LastBuild;
}

/** A reason that has no other behind it. */
export interface FirstCause {
  readonly name: string;
  readonly reason: Reason;
}

/** The last build of a node. */
export interface LastBuild {
  /** RFC 3339. */
  readonly at: string;
  /** How long it took, in milliseconds; 0 where it came from a registry. */
  readonly ms: number;
  /** Where it came from, if it was not built here: host and repository. */
  readonly from?: string;
  readonly reasons: readonly Reason[];
  /** The needs among the reasons, and their last builds. */
  readonly causes: readonly { readonly name: string; readonly last: LastBuild }[];
}

/** So far causes are followed; a chain of needs may be longer than calls can nest. */
const DEEPEST = 200;

/** Explains results by each other and by what is recorded. */
export class Explainer {
  readonly #results: readonly Result[];
  readonly #records: Records;

  constructor(results: readonly Result[], records: Records) {
    this.#results = results.filter((each) => platformOf(each) !== "index");
    this.#records = records;
  }

  /** The results that a name, or `NAME@PLATFORM`, stands for. */
  named(ids: readonly string[]): readonly Result[] {
    const wanted = new Set(ids);
    return this.#results.filter((each) => wanted.has(each.name) || wanted.has(idOf(each)));
  }

  /** Explains one of the results. */
  answer(result: Result, seen: ReadonlySet<string> = new Set()): Answer {
    const { name, reasons, verdict = "unknown", error } = result;
    const platform = platformOf(result);
    const within = new Set([...seen, idOf(result)]);
    const record = this.#record(name, platform);
    const last = record === undefined ? undefined : this.#last(record, platform, new Set([name]));
    const needs = seen.size < DEEPEST ? needsAmong(reasons) : [];
    const causes = needs.flatMap((need) => this.#need(need, platform))
      .filter((need) => !within.has(idOf(need)))
      .map((need) => this.answer(need, within));
    return {
      name,
      ...(platform === undefined ? {} : { platform }),
      verdict,
      ...(error === undefined ? {} : { error }),
      reasons,
      causes,
      // What a need was built for before, others are built for now.
      first: reasons.length === 0 && seen.size > 0
        ? firstOfLast(name, last)
        : firstCauses(name, reasons, causes),
      ...(last === undefined ? {} : { last }),
    };
  }

  #need(need: string, platform: string | undefined): Result[] {
    const found = this.#results.filter((each) => each.name === need || idOf(each) === need);
    return found.filter((each) =>
      platform === undefined || [platform, undefined].includes(
        platformOf(each),
      )
    );
  }

  /** A build that a need's build led to came after it. */
  #last(
    record: ImageRecord | TaskRecord,
    platform: string | undefined,
    seen: ReadonlySet<string>,
  ): LastBuild {
    const needs = seen.size < DEEPEST ? needsAmong(record.reasons) : [];
    const causes = needs.flatMap((id) => {
      const [name = id] = id.split("@");
      const need = seen.has(name) ? undefined : this.#record(name, platform);
      if (need === undefined || need.at > record.at) return [];
      return [{ name, last: this.#last(need, platform, new Set([...seen, name])) }];
    });
    const remote = "remote" in record ? record.remote : undefined;
    return {
      at: new Date(record.at).toISOString(),
      ms: record.ms,
      ...(remote === undefined || record.ms > 0
        ? {}
        : { from: `${remote.host}/${remote.repository}` }),
      reasons: record.reasons,
      causes,
    };
  }

  #record(name: string, platform: string | undefined): ImageRecord | TaskRecord | undefined {
    const image = platform === undefined ? undefined : this.#records.image(name, platform);
    return image ?? this.#records.task(name);
  }
}

function firstCauses(
  name: string,
  reasons: readonly Reason[],
  causes: readonly Answer[],
): FirstCause[] {
  const explained = causes.filter(({ first }) => first.length > 0).map((each) => each.name);
  // The deepest come first: nothing else could have led to them.
  const all = [...causes.flatMap(({ first }) => first), ...unexplained(name, reasons, explained)];
  const seen = new Set<string>();
  return all.filter((each) => {
    const text = JSON.stringify(each);
    return !seen.has(text) && seen.add(text);
  });
}

function firstOfLast(name: string, last: LastBuild | undefined): FirstCause[] {
  if (last === undefined) return [];
  const explained = last.causes.map((each) => each.name);
  return [
    ...last.causes.flatMap((each) => firstOfLast(each.name, each.last)),
    ...unexplained(name, last.reasons, explained),
  ];
}

/** The reasons behind which there is no need with reasons of its own. */
function unexplained(
  name: string,
  reasons: readonly Reason[],
  explained: readonly string[],
): FirstCause[] {
  return reasons.filter(({ kind, path = "" }) =>
    kind !== "need-changed" || !explained.includes(path.split("@")[0]!)
  ).map((reason) => ({ name, reason }));
}

function needsAmong(reasons: readonly Reason[]): string[] {
  return reasons.flatMap(({ kind, path }) =>
    kind === "need-changed" && path !== undefined ? [path] : []
  );
}

function platformOf(result: Result): string | undefined {
  return "platform" in result ? result.platform : undefined;
}

function idOf(result: Result): string {
  return "platform" in result ? `${result.name}@${result.platform}` : result.name;
}
