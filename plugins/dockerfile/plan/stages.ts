/** Which stages an image is made of, and what each of them and each COPY stands on. */

import type { Digest } from "../../../lib/model/digest.ts";
import { Fault } from "../../../lib/model/errors.ts";
import { hostPlatform, parsePlatform } from "../../../lib/model/platform.ts";
import { formatReference, parseReference } from "../../../lib/model/reference.ts";
import { faultAt } from "../syntax/place.ts";
import { checkStatement, type Instruction, type Script, type Stage } from "../syntax/script.ts";
import { readStatements, triggerText } from "../syntax/statements.ts";
import { closest } from "../syntax/suggest.ts";
import type { Mention } from "../../../lib/model/plugin.ts";
import type { Folder, Folders } from "./folders.ts";
import { baseReference, contextOrigin } from "./image_contexts.ts";
import { type Mount, readMounts } from "./mounts.ts";
import type { Options } from "./options.ts";
import type { Remote } from "./remote.ts";
import { type BuildArgs, ExpansionBudget, Scope } from "./scope.ts";

/** What a stage begins with, or what files are copied from. */
export type Origin =
  | { readonly kind: "scratch" }
  | { readonly kind: "stage"; readonly index: number }
  /** An image of images.ts. */
  | { readonly kind: "image"; readonly name: string }
  /** A remote image, by its normalised reference. */
  | { readonly kind: "base"; readonly reference: string }
  | { readonly kind: "folder"; readonly folder: Folder }
  /** An image in an OCI layout: its folder relative to images.ts. */
  | { readonly kind: "layout"; readonly folder: string; readonly digest: Digest }
  /** A folder of a git repository. */
  | { readonly kind: "git"; readonly remote: Remote & { readonly kind: "git" } };

/** An instruction and what it reads from besides the main context. */
export interface Step {
  readonly instruction: Instruction;
  /** Where COPY --from reads; undefined is the main context. */
  readonly from?: Origin;
  /** Bind and cache mounts of RUN that read files. */
  readonly mounts: readonly (Mount & { readonly origin?: Origin })[];
}

/** A stage that the image needs. */
export interface PlannedStage {
  readonly index: number;
  readonly stage: Stage;
  readonly origin: Origin;
  /** Platform of FROM --platform, where it is not the image's own. */
  readonly platform?: string;
  /** Its instructions, those that the base stage left by ONBUILD first. */
  readonly steps: readonly Step[];
}

/** The part of a Dockerfile that decides one image. */
export interface Plan {
  readonly script: Script;
  readonly context: Folder;
  readonly args: BuildArgs;
  /** In the order of the file; the last is the target. */
  readonly stages: readonly PlannedStage[];
  readonly platform: string;
  /** What the values of all its stages may take. */
  readonly budget: ExpansionBudget;
  /** Where remote images are named, by their references. */
  readonly mentions: ReadonlyMap<string, Mention>;
  /** Steps for the instructions that a base image left by ONBUILD. */
  triggers(texts: readonly string[], stage: PlannedStage): Step[];
}

/**
 * Plans one image.
 *
 * @throws {Fault} for unknown targets and stages, cycles, bad references and platforms.
 */
export function planStages(
  script: Script,
  options: Options,
  platform: string,
  context: Folder,
  folders: Folders,
): Plan {
  return new Planner(script, options, platform, context, folders).plan();
}

/** So many stages one image may need. */
const MOST_STAGES = 1000;

/** A stage whose needs are being planned; the last of them comes next. */
interface OpenStage {
  readonly planned: PlannedStage;
  readonly needs: number[];
}

class Planner {
  readonly #planned = new Map<number, PlannedStage>();
  readonly #contexts = new Map<string, string | { readonly image: string }>();
  readonly #mentions = new Map<string, Mention>();
  readonly #stagesNamed = new Map<string, Stage[]>();
  readonly #budget = new ExpansionBudget();
  readonly #globalScope: Scope;
  readonly #args: BuildArgs;

  constructor(
    readonly script: Script,
    readonly options: Options,
    readonly platform: string,
    readonly context: Folder,
    readonly folders: Folders,
  ) {
    for (const [name, value] of Object.entries(options.contexts)) {
      this.#contexts.set(contextKey(name), value);
    }
    for (const stage of script.stages) {
      if (stage.name === undefined) continue;
      const others = this.#stagesNamed.get(stage.name);
      if (others === undefined) this.#stagesNamed.set(stage.name, [stage]);
      else others.push(stage);
    }
    const scope = new Scope(script.source, script.escape, { open: false }, this.#budget);
    const globals = new Map(predefined(platform, options));
    scope.addEnvironment([...globals].map(([name, value]) => `${name}=${value}`));
    this.#args = { given: options.args, globals };
    for (const instruction of script.globals) {
      // Unlike in a stage, each name sees those before it: in "ARG A=1 B=$A" B is 1.
      for (const word of instruction.args) {
        for (const { name, value } of scope.declare({ ...instruction, args: [word] }, this.#args)) {
          if (value !== undefined) globals.set(name, value);
        }
      }
    }
    this.#globalScope = scope;
  }

  plan(): Plan {
    const target = this.#target();
    const { os } = parsePlatform(this.platform);
    if (os !== "linux") {
      throw faultAt(this.script.source, target.from, `An image for ${this.platform} is not built`, {
        next: `take "${this.platform}" out of platforms: only images for Linux are built`,
      });
    }
    this.#visit(target);
    const stages = [...this.#planned.values()].sort((a, b) => a.index - b.index);
    return {
      script: this.script,
      context: this.context,
      args: this.#args,
      stages,
      platform: this.platform,
      budget: this.#budget,
      mentions: this.#mentions,
      triggers: (texts, stage) => {
        const steps = this.#triggers(texts, stage.stage);
        for (const step of steps) this.#checkTrigger(step, stage);
        return steps;
      },
    };
  }

  #target(): Stage {
    const { stages, source } = this.script;
    const wanted = this.options.target;
    if (wanted === undefined) return stages.at(-1)!;
    const found = this.#stageNamed(wanted) ??
      (/^\d+$/.test(wanted) ? stages[Number(wanted)] : undefined);
    if (found !== undefined) return found;
    const names = stages.flatMap((stage) => stage.name ?? []);
    const near = closest(wanted, names);
    throw faultAt(source, stages[0]!.from, `There is no stage "${wanted}" to build`, {
      next: near !== undefined
        ? `set target to "${near}" if that was meant`
        : names.length > 0
        ? `set target to one of ${names.join(", ")}`
        : `name a stage with "FROM … AS ${wanted}"`,
    });
  }

  #stageNamed(name: string): Stage | undefined {
    return this.#stagesNamed.get(name.toLowerCase())?.at(-1);
  }

  /** Plans a stage and those it needs: a chain of them may be longer than calls can nest. */
  #visit(target: Stage): void {
    const open = new Set<Stage>();
    const path: OpenStage[] = [];
    const enter = (stage: Stage): void => {
      if (open.has(stage)) throw this.#cycle([...path.map((it) => it.planned.stage), stage]);
      if (this.#planned.has(stage.index)) return;
      if (this.#planned.size + path.length === MOST_STAGES) {
        throw faultAt(
          this.script.source,
          target.from,
          `The image needs more than ${MOST_STAGES} stages`,
          { next: "let it stand on fewer, or build some of them as images of their own" },
        );
      }
      open.add(stage);
      path.push(this.#openStage(stage));
    };
    enter(target);
    for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
      const next = last.needs.pop();
      if (next !== undefined) {
        enter(this.script.stages[next]!);
        continue;
      }
      const { planned } = path.pop()!;
      open.delete(planned.stage);
      this.#checkOrder(planned.stage, planned.steps);
      this.#planned.set(planned.index, planned);
    }
  }

  #cycle(path: readonly Stage[]): Error {
    const stage = path.at(-1)!;
    const names = path.slice(path.indexOf(stage)).map(nameOf);
    return faultAt(this.script.source, stage.from, `Stages need each other: ${names.join(" → ")}`, {
      next: "break the cycle: a stage can only use stages that do not use it",
    });
  }

  #openStage(stage: Stage): OpenStage {
    const { origin, platform } = this.#base(stage);
    const left = origin.kind === "stage"
      ? this.script.stages[origin.index]!.instructions.filter((it) => it.keyword === "ONBUILD")
      : [];
    const steps = [
      ...this.#triggers(left.map(triggerText), stage),
      // A named context in a stage's place replaces all of it.
      ...(this.#replaced(stage) ? [] : stage.instructions.map((it) => this.#step(it, stage))),
    ];
    const origins = [
      origin,
      ...steps.flatMap(({ from, mounts }) => [from, ...mounts.map((mount) => mount.origin)]),
    ];
    const needs = origins.flatMap((each) => each?.kind === "stage" ? [each.index] : []);
    const planned = {
      index: stage.index,
      stage,
      origin,
      ...(platform === undefined ? {} : { platform }),
      steps,
    };
    return { planned, needs: needs.reverse() };
  }

  /**
   * What a base's ONBUILD takes from must be in the key, which is made before the base is read: only
   * what the Dockerfile uses as well is.
   */
  #checkTrigger({ instruction, from, mounts }: Step, { stage }: PlannedStage): void {
    const used = new Set([...this.#planned.values()].flatMap(originsOf).map(originKey));
    for (const origin of [from, ...mounts.map((mount) => mount.origin)]) {
      if (origin === undefined || origin.kind === "scratch" || used.has(originKey(origin))) {
        continue;
      }
      if (origin.kind === "stage" && this.#planned.has(origin.index)) continue;
      const written = from === origin
        ? instruction.options["from"]![0]!
        : mounts.find((mount) => mount.origin === origin)!.from!;
      throw this.#outsideKey(instruction, written, origin, stage);
    }
    this.#checkOrder(stage, [{ instruction, ...(from === undefined ? {} : { from }), mounts }]);
  }

  #outsideKey(instruction: Instruction, written: string, origin: Origin, stage: Stage): Fault {
    const { source, stages } = this.script;
    const names = stages.slice(0, stage.index).flatMap(({ name }) => name ?? []);
    const near = origin.kind === "base" ? closest(written, names) : undefined;
    const { keyword } = instruction;
    if (near !== undefined) {
      const message = `${keyword} by the base's ONBUILD takes from "${written}", which is no stage`;
      return faultAt(source, instruction, message, {
        next: `name the stage "${written}" if "${near}" was meant`,
      });
    }
    const what = origin.kind === "base" ? origin.reference : `"${written}"`;
    const message = `The base's ONBUILD reads ${what}, which is not in the key`;
    const use = keyword === "RUN" ? `RUN --mount=from=${written} true` : `COPY --from=${written} …`;
    return faultAt(source, instruction, message, {
      next: `write "${use}" in a stage of this Dockerfile as well, or take another base`,
    });
  }

  /** Stages are run in the file's order: cycles have been found, what is left is a late stage. */
  #checkOrder(stage: Stage, steps: readonly Step[]): void {
    for (const { instruction, from, mounts } of steps) {
      for (const origin of [from, ...mounts.map((mount) => mount.origin)]) {
        if (origin?.kind !== "stage" || origin.index < stage.index) continue;
        const late = nameOf(this.script.stages[origin.index]!);
        throw faultAt(
          this.script.source,
          instruction,
          `The stage "${late}" is defined after the stage that uses it`,
          { word: late, next: `move the stage "${late}" above this one` },
        );
      }
    }
  }

  #replaced(stage: Stage): boolean {
    return stage.name !== undefined && this.#contexts.has(contextKey(stage.name));
  }

  #base(stage: Stage): { origin: Origin; platform?: string } {
    const { from } = stage;
    const { source } = this.script;
    const written = from.options["platform"]?.[0];
    let platform: string | undefined;
    if (written !== undefined) {
      const text = this.#globalScope.expand(written, from);
      try {
        platform = normalPlatform(text);
      } catch (error) {
        throw faultAt(source, from, `Cannot read the platform "${text}"`, {
          word: written,
          next: 'write it as "linux/amd64", or give the argument a value',
          cause: error,
        });
      }
    }
    if (this.#replaced(stage)) return { origin: this.#named(stage.name!)! };
    const name = this.#globalScope.expand(from.args[0]!, from);
    if (name === "") {
      throw faultAt(source, from, `The base "${from.args[0]}" is empty`, {
        word: from.args[0]!,
        next: "give the argument a default in front of the first FROM, or a value in args",
      });
    }
    const earlier = this.#stagesNamed.get(name.toLowerCase())?.findLast((other) =>
      other.index < stage.index
    );
    const origin: Origin = earlier !== undefined
      ? { kind: "stage", index: earlier.index }
      : this.#outside(name, from);
    if (origin.kind === "scratch") return { origin };
    const foreign = platform !== undefined && platform !== this.platform && origin.kind !== "stage";
    return foreign ? { origin, platform: platform! } : { origin };
  }

  #triggers(texts: readonly string[], stage: Stage): Step[] {
    return texts.flatMap((text) => {
      const { statements, escape } = readStatements(text, this.script.source.file);
      // A trigger has no line in this file: faults about it point at the FROM that brought it.
      const { line, endLine } = stage.from;
      return statements.map((statement) => {
        const placed = { ...statement, line, endLine };
        return this.#step(checkStatement(placed, this.script.source, escape), stage);
      });
    });
  }

  #step(instruction: Instruction, stage: Stage): Step {
    const written = instruction.keyword === "COPY" ? instruction.options["from"]?.[0] : undefined;
    const from = written ? this.#copyFrom(written, instruction, stage) : undefined;
    const mounts = instruction.keyword === "RUN"
      ? readMounts(instruction, this.script.source).map((mount) =>
        mount.from === undefined
          ? mount
          : { ...mount, origin: this.#copyFrom(mount.from, instruction, stage) }
      )
      : [];
    return { instruction, ...(from === undefined ? {} : { from }), mounts };
  }

  #copyFrom(name: string, instruction: Instruction, stage: Stage): Origin {
    const { source, stages } = this.script;
    if (/(?<!\\)\$./.test(name)) {
      throw faultAt(source, instruction, `Variables cannot stand in --from=${name}`, {
        word: name,
        next: `name the image by "FROM ${name} AS …" in front, and copy from that stage`,
      });
    }
    if (/^\d+$/.test(name)) {
      const found = stages[Number(name)];
      if (found !== undefined && found.index < stage.index) {
        return { kind: "stage", index: found.index };
      }
      throw faultAt(source, instruction, `There is no stage ${name} before this one`, {
        word: name,
        next: "count stages from 0, or name them with AS",
      });
    }
    const found = this.#stageNamed(name);
    if (found !== undefined) return { kind: "stage", index: found.index };
    return this.#outside(name, instruction);
  }

  /** Nothing, a named context, or else a remote image. */
  #outside(name: string, instruction: Instruction): Origin {
    if (name === "scratch") return { kind: "scratch" };
    const named = this.#named(name);
    if (named !== undefined) return named;
    try {
      const reference = baseReference(name);
      if (!this.#mentions.has(reference)) {
        this.#mentions.set(reference, this.#mention(name, instruction));
      }
      return { kind: "base", reference };
    } catch (error) {
      const names = this.script.stages.flatMap((stage) => stage.name ?? []);
      const near = closest(name, [...names, ...this.#contexts.keys()]);
      // A name with these in it is meant as a reference, whose reader knows which part is wrong.
      const isMeant = error instanceof Fault && /[/:@]/.test(name);
      const next = isMeant
        ? error.next
        : near === undefined
        ? "correct the name, or define the stage above"
        : `write "${near}" if that was meant`;
      throw faultAt(
        this.script.source,
        instruction,
        `"${name}" is no stage, no named context and no image reference`,
        { word: name, ...(next === undefined ? {} : { next }), cause: error },
      );
    }
  }

  /** Where an image is named, and which stage was meant if it is none. */
  #mention(name: string, instruction: Instruction): Mention {
    const stages = this.script.stages.filter(({ from }) => from.line < instruction.line);
    const names = [...stages.flatMap((stage) => stage.name ?? []), ...this.#contexts.keys()];
    const near = /^[\w.-]+$/.test(name) ? closest(name, names) : undefined;
    const next = near === undefined ? undefined : `write "${near}" if that stage was meant`;
    const { place, excerpt } = faultAt(this.script.source, instruction, name, { word: name });
    return { place: place!, excerpt: excerpt!, ...(next === undefined ? {} : { next }) };
  }

  #named(name: string): Origin | undefined {
    const value = this.#contexts.get(contextKey(name));
    if (value === undefined) return undefined;
    if (typeof value !== "string") return { kind: "image", name: value.image };
    const origin = contextOrigin(name, value, this.folders);
    if (origin !== undefined) return origin;
    return { kind: "folder", folder: this.folders.open(value, `build context ${name}`) };
  }
}

/** Everything that a stage stands on or reads from besides the main context. */
export function originsOf({ origin, steps }: PlannedStage): Origin[] {
  return [
    origin,
    ...steps.flatMap(({ from, mounts }) => [from, ...mounts.map((mount) => mount.origin)]),
  ].filter((it) => it !== undefined);
}

/** The same text for the same origin. */
export function originKey(origin: Origin): string {
  switch (origin.kind) {
    case "stage":
      return `stage ${origin.index}`;
    case "base":
      return `base ${origin.reference}`;
    case "image":
      return `image ${origin.name}`;
    case "folder":
      return `folder ${origin.folder.path}`;
    case "layout":
      return `layout ${origin.folder}@${origin.digest}`;
    case "git":
      return `git ${origin.remote.source.name}:${origin.remote.subdir}`;
    default:
      return origin.kind;
  }
}

/** A stage as people call it. */
export function nameOf(stage: Stage): string {
  return stage.name ?? String(stage.index);
}

/** Names of contexts match references however they are written: `node` is `docker.io/library/node:latest`. */
function contextKey(name: string): string {
  try {
    const reference = parseReference(name);
    return reference.tag === "latest"
      ? formatReference({ host: reference.host, repository: reference.repository })
      : formatReference(reference);
  } catch {
    return name.toLowerCase();
  }
}

function normalPlatform(text: string): string {
  const { os, architecture, variant } = parsePlatform(text);
  return [os, architecture, variant].filter((part) => part !== undefined).join("/");
}

/** @see https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope */
function predefined(platform: string, options: Options): [string, string][] {
  const values: [string, string][] = [];
  for (const [prefix, text] of [["BUILD", hostPlatform()], ["TARGET", platform]] as const) {
    const { os, architecture, variant } = parsePlatform(text);
    values.push(
      [`${prefix}PLATFORM`, text],
      [`${prefix}OS`, os],
      [`${prefix}OSVERSION`, ""],
      [`${prefix}ARCH`, architecture],
      [`${prefix}VARIANT`, variant ?? ""],
    );
  }
  values.push(["TARGETSTAGE", options.target ?? "default"]);
  return values.map(([name, value]) => [name, options.args.get(name) ?? value]);
}
