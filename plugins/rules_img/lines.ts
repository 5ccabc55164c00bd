/** Bazel's output is one for all targets: each line goes to the images that it concerns. */

import { canonicalLabel } from "./bazel/label.ts";
import type { BuildRequest } from "../../lib/model/plugin.ts";
import type { Surveyed } from "./survey.ts";

interface Recipient {
  readonly request: BuildRequest;
  readonly surveyed: Surveyed;
}

/** Lines that say something new; others belong to the one before them. */
const HEAD = /^(?:ERROR|FATAL|WARNING|INFO|DEBUG|FAILED|Target)\b/;

const LABEL = /(?:@{1,2}[\w.+~-]*)?\/\/[^\s:'",;()]*:[^\s:'",;()]+/g;

/** Hands lines on by the labels in them; what names nothing goes to the first image. */
export class LineRouter {
  readonly #all: readonly Recipient[];
  #current: readonly Recipient[];

  constructor(all: readonly Recipient[]) {
    this.#all = all;
    this.#current = all.slice(0, 1);
  }

  /** Takes a line. */
  take(line: string): void {
    if (HEAD.test(line)) this.#current = this.#concerned(line);
    for (const { request } of this.#current) request.context.log(line);
  }

  #concerned(line: string): readonly Recipient[] {
    const labels = [...line.matchAll(LABEL)].map(([text]) => canonicalLabel(text));
    const named = this.#all.filter(({ surveyed: { closure } }) =>
      labels.some((label) => closure.labels.has(label))
    );
    return named.length > 0 ? named : this.#all.slice(0, 1);
  }
}
