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
  /** Lines of errors that each image was handed. */
  readonly #told = new Map<BuildRequest, Set<string>>();
  #isError = false;

  constructor(all: readonly Recipient[]) {
    this.#all = all;
    this.#current = all.slice(0, 1);
  }

  /** Takes a line. */
  take(line: string): void {
    if (HEAD.test(line)) {
      this.#current = this.#concerned(line);
      this.#isError = line.startsWith("ERROR");
    }
    for (const { request } of this.#current) {
      if (this.#isError) this.#toldTo(request).add(line);
      request.context.log(line);
    }
  }

  /** Hands an image what its action printed, of which Bazel's words may not have said whose it is. */
  tell(request: BuildRequest, printed: string): void {
    const told = this.#toldTo(request);
    for (const line of printed.trimEnd().split("\n")) {
      if (!told.has(line)) request.context.log(line);
    }
  }

  #toldTo(request: BuildRequest): Set<string> {
    const told = this.#told.get(request) ?? new Set();
    this.#told.set(request, told);
    return told;
  }

  #concerned(line: string): readonly Recipient[] {
    const labels = [...line.matchAll(LABEL)].map(([text]) => canonicalLabel(text));
    const named = this.#all.filter(({ surveyed: { closure } }) =>
      labels.some((label) => closure.labels.has(label))
    );
    return named.length > 0 ? named : this.#all.slice(0, 1);
  }
}
