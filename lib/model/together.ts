/** Doing for several images what one invocation of a tool can, although each may run out of time. */

import { asFault, type Fault } from "./errors.ts";
import type { BuildRequest } from "./plugin.ts";

/** Something that is done for an image. */
export interface Concerning {
  /** What the image is built from and with. */
  readonly request: BuildRequest;
}

/** Aborted once all of these are, when nobody waits any more. */
export function allAborted(signals: readonly AbortSignal[]): AbortSignal {
  const all = new AbortController();
  let left = signals.length;
  for (const signal of signals) {
    const end = () => {
      left -= 1;
      if (left === 0) all.abort(signal.reason);
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  }
  return all.signal;
}

/** What a piece of shared work found for some of the images; the rest is asked for again. */
export type Answers<R, A> = ReadonlyMap<R, A | Fault>;

/**
 * Does something for several images together. An image whose time is over fails alone: what is under
 * way is ended, and done again for the others; the tool has kept what it had finished.
 *
 * @param work ends with the signal, and answers for one of its images at least.
 * @returns answers in the order of what was asked; what `work` throws is the answer of all.
 */
export async function together<R extends Concerning, A>(
  requests: readonly R[],
  work: (open: readonly R[], signal: AbortSignal) => Promise<Answers<R, A>>,
): Promise<(A | Fault)[]> {
  const answers = new Map<R, A | Fault>();
  for (let open = requests; open.length > 0; open = open.filter((each) => !answers.has(each))) {
    for (const [each, answer] of await attempt(open, work)) answers.set(each, answer);
  }
  return requests.map((each) => answers.get(each)!);
}

async function attempt<R extends Concerning, A>(
  open: readonly R[],
  work: (open: readonly R[], signal: AbortSignal) => Promise<Answers<R, A>>,
): Promise<Answers<R, A>> {
  try {
    return await work(open, AbortSignal.any(open.map(signalOf)));
  } catch (error) {
    const over = open.filter((each) => signalOf(each).aborted);
    return new Map((over.length === 0 ? open : over).map((each) => [each, faultOf(each, error)]));
  }
}

function faultOf(each: Concerning, error: unknown): Fault {
  const { aborted, reason } = signalOf(each);
  return asFault(aborted ? reason : error, { where: each.request.context.name });
}

function signalOf({ request: { context } }: Concerning): AbortSignal {
  return context.signal;
}
