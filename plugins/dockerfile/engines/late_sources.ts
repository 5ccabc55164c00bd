/**
 * URLs that show only once a base is read: by its environment, or by its ONBUILD. An engine would
 * fetch them although they are not in the key, so they are refused.
 */

import type { LocalImage } from "../../../lib/model/image.ts";
import { isRemote } from "../plan/remote.ts";
import { Scope, UnknownValue } from "../plan/scope.ts";
import { pathArguments } from "../plan/sources.ts";
import type { Plan, PlannedStage, Step } from "../plan/stages.ts";
import { unknownUrl } from "../plan/survey.ts";
import { faultAt } from "../syntax/place.ts";

/** Checks stages in their order, each with the base it begins with. */
export class LateSources {
  readonly #scopes = new Map<number, Scope>();
  readonly #known: ReadonlySet<unknown>;

  /**
   * @param known instructions whose sources are all in the key.
   */
  constructor(
    readonly plan: Plan,
    known: ReadonlySet<unknown>,
  ) {
    this.#known = known;
  }

  /**
   * @param triggers what the base left by ONBUILD.
   * @throws {Fault} with the line of what would be fetched besides what is in the key.
   */
  check(stage: PlannedStage, base: LocalImage | undefined, triggers: readonly Step[]): void {
    const { script: { source, escape }, budget } = this.plan;
    const { origin } = stage;
    const scope = origin.kind === "stage"
      ? this.#scopes.get(origin.index)!.inherit()
      : new Scope(source, escape, { open: false }, budget);
    this.#scopes.set(stage.index, scope);
    scope.addEnvironment(base?.config.config?.Env ?? []);
    for (const step of triggers) this.#step(step, scope, true);
    for (const step of stage.steps) this.#step(step, scope, false);
  }

  #step({ instruction }: Step, scope: Scope, isTrigger: boolean): void {
    if (instruction.keyword === "ENV") scope.setEnvironment(instruction);
    if (instruction.keyword === "ARG") scope.declare(instruction, this.plan.args);
    if (instruction.keyword !== "ADD" || this.#known.has(instruction)) return;
    const { source } = this.plan.script;
    for (const word of pathArguments(instruction)) {
      if (!isRemote(this.#expanded(word, () => scope.expand(word, instruction)))) continue;
      throw isTrigger
        ? faultAt(source, instruction, `The base's ONBUILD adds ${word}, which is not in the key`, {
          next: "add it to the image's own Dockerfile, and take a base without that ONBUILD",
        })
        : unknownUrl(word, instruction, source);
    }
  }

  #expanded(word: string, expand: () => string): string {
    try {
      return expand();
    } catch (error) {
      if (error instanceof UnknownValue) return word;
      throw error;
    }
  }
}
