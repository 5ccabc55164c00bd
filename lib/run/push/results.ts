/** What became of a push, filed under what it was published for. */

import type { Fault } from "../../model/errors.ts";
import type { Subject } from "../../model/events.ts";
import type { Image } from "../../model/recipe.ts";
import type { DestinationResult, PushStatus } from "../../model/result.ts";
import { repositoryIn } from "../../registry/publish/destination.ts";
import { referenceOf, type Tagged, type Target } from "../../registry/publish/target.ts";
import type { Session } from "../session.ts";
import type { SettledImage } from "../settled.ts";
import type { PushRequest } from "./request.ts";

/** The results of one push; a platform of several has its own, the rest is the image's. */
export class PushResults {
  readonly #session: Session;
  readonly #destinations = new Map<Subject, readonly DestinationResult[]>();
  readonly #faults = new Map<Subject, Fault>();
  readonly #told = new Set<string>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Node or image name → where it was published. */
  get destinations(): ReadonlyMap<Subject, readonly DestinationResult[]> {
    return this.#destinations;
  }

  /** Image name → why it was not published. */
  get faults(): ReadonlyMap<Subject, Fault> {
    return this.#faults;
  }

  /** Files what became of an image or platform, and tells it. */
  add(id: Subject, results: readonly DestinationResult[]): void {
    if (results.length === 0) return;
    this.#destinations.set(id, results);
    this.#session.emit({ kind: "published", id, destinations: results });
  }

  /** Files a failure; one that many images share is told once. */
  fail(id: Subject, results: readonly DestinationResult[], fault: Fault): void {
    this.#destinations.set(id, results);
    this.#faults.set(id, fault);
    const text = `${fault.where}: ${fault.message}`;
    const again = this.#told.has(text);
    this.#told.add(text);
    this.#session.emit({
      kind: "published",
      id,
      destinations: results,
      ...(again ? {} : { fault }),
    });
  }
}

/** Where results of an image are filed: its only node, or its index. */
export function idOf(image: Image, parts: readonly SettledImage[]): Subject {
  return parts.length === 1 ? parts[0]!.node.id : image.name;
}

/** The result for a whole repository, where no tag was come to. */
export function repositoryResult(
  image: Image,
  { destination: { name, registry } }: PushRequest,
  status: PushStatus,
  detail: string,
): DestinationResult {
  const reference = `${registry.host}/${repositoryIn(registry, image)}`;
  return { registry: name, reference, status, detail };
}

/** The result for a content tag. */
export function contentResult(target: Target, { status, published }: Tagged): DestinationResult {
  return {
    registry: target.registry,
    reference: referenceOf(target, published.tag),
    digest: published.descriptor.digest,
    status,
  };
}

/** The results for mutable tags that were not come to. */
export function tagResults(
  target: Target,
  tags: readonly string[],
  status: PushStatus,
  detail?: string,
): DestinationResult[] {
  return tags.map((tag) => ({
    registry: target.registry,
    reference: referenceOf(target, tag),
    status,
    ...(detail === undefined ? {} : { detail }),
  }));
}
