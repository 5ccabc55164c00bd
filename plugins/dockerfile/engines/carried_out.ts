/**
 * COPY instructions that are carried out here before an engine gets them, as not every engine knows
 * their flags, or knows them in the same way: `--parents`, `--exclude`, and modes in letters or
 * variables. The engine copies the outcome.
 */

import { hexOf } from "../../../lib/model/digest.ts";
import type { BuildContext } from "../../../lib/model/plugin.ts";
import { sha256 } from "../../../lib/oci/sha256.ts";
import { Unpacker } from "../native/archive.ts";
import { draftOf } from "../native/config.ts";
import { contextTree } from "../native/context.ts";
import { carryOutCopy } from "../native/copying.ts";
import { type FolderNode, folderOf, type Node, PLAIN_FOLDER, Rootfs } from "../native/rootfs.ts";
import { StageState } from "../native/stage.ts";
import { missingIn } from "../plan/folders.ts";
import { Scope } from "../plan/scope.ts";
import type { Plan, PlannedStage, Step } from "../plan/stages.ts";
import type { Instruction } from "../syntax/script.ts";
import type { HandedCopy } from "./handed_script.ts";
import { baseOf } from "./outside.ts";
import { prepareTree } from "./prepare.ts";

/** What the folder of the outcomes is called in the handed Dockerfile. */
const CONTEXT = "images-copied";

/** Where a copy is carried out, in a tree of its own. */
const PLACE = "/copied";

/** Says whether an instruction is carried out here. */
export function isCarriedOut({ instruction, from }: Step): boolean {
  const { keyword, options, heredocs } = instruction;
  if (keyword !== "COPY" || heredocs.length > 0) return false;
  if (from !== undefined && from.kind !== "folder") return false;
  const chmod = options["chmod"]?.[0];
  return options["parents"]?.[0] === "true" || options["exclude"] !== undefined ||
    (chmod !== undefined && !/^[0-7]+$/.test(chmod));
}

/** The outcomes, by instruction, and the arguments that make their folder known. */
export interface CarriedOut {
  readonly copies: ReadonlyMap<Instruction, HandedCopy>;
  readonly args: readonly string[];
}

/** Carries out what {@link isCarriedOut} of a plan. @throws {Fault} as the native builder does. */
export async function carryOut(plan: Plan, context: BuildContext): Promise<CarriedOut> {
  const stages = plan.stages.filter(({ steps }) => steps.some(isCarriedOut));
  if (stages.length === 0) return { copies: new Map(), args: [] };
  const top = folderOf(PLAIN_FOLDER);
  const copies = await new Copier(plan, context, top).run();
  // BuildKit goes by names: one for the same key and files.
  const name = hexOf(sha256(JSON.stringify([context.key ?? "", context.tree.root]))).slice(0, 32);
  const path = await prepareTree(top, name, context);
  return { copies, args: ["--build-context", `${CONTEXT}=${path}`] };
}

class Copier {
  readonly #scopes = new Map<number, Scope>();
  readonly #copies = new Map<Instruction, HandedCopy>();

  constructor(
    readonly plan: Plan,
    readonly context: BuildContext,
    readonly top: FolderNode,
  ) {}

  async run(): Promise<ReadonlyMap<Instruction, HandedCopy>> {
    for (const stage of this.plan.stages) {
      const scope = await this.#begin(stage);
      this.#scopes.set(stage.index, scope);
      for (const step of stage.steps) {
        const { instruction } = step;
        if (instruction.keyword === "ENV") scope.setEnvironment(instruction);
        if (instruction.keyword === "ARG") scope.declare(instruction, this.plan.args);
        if (isCarriedOut(step)) this.#copies.set(instruction, await this.#copy(step, scope));
      }
    }
    return this.#copies;
  }

  /** The variables that a stage begins with. */
  async #begin(stage: PlannedStage): Promise<Scope> {
    const { script: { source, escape }, budget, args } = this.plan;
    const { origin } = stage;
    if (origin.kind === "stage") return this.#scopes.get(origin.index)!.inherit();
    const scope = new Scope(source, escape, { open: false }, budget);
    const base = await baseOf(stage, this.context);
    scope.addEnvironment(base?.config.config?.Env ?? []);
    for (const { instruction } of this.plan.triggers(base?.config.config?.OnBuild ?? [], stage)) {
      if (instruction.keyword === "ENV") scope.setEnvironment(instruction);
      if (instruction.keyword === "ARG") scope.declare(instruction, args);
    }
    return scope;
  }

  async #copy(step: Step, scope: Scope): Promise<HandedCopy> {
    const { args, options } = step.instruction;
    const sources = args.slice(0, -1);
    const flags = ["chown", "link"].filter((name) => options[name] !== undefined);
    const inFolder = await this.#outcome(step, scope, `${PLACE}/`);
    // Where nothing matches, nothing is copied.
    if (inFolder?.type !== "directory") return { from: CONTEXT, paths: [], flags };
    const alone = sources.length === 1 && inFolder.children.size === 1 &&
      (await this.#outcome(step, scope, PLACE))?.type === "file";
    const folder = String(this.top.children.size);
    this.top.children.set(folder, inFolder);
    if (!alone) return { from: CONTEXT, paths: [`${folder}/`], flags, intoFolder: true };
    const [name] = inFolder.children.keys();
    return { from: CONTEXT, paths: [`${folder}/${name}`], flags };
  }

  /** What is at the destination then. */
  async #outcome({ instruction, from }: Step, scope: Scope, to: string): Promise<Node | undefined> {
    const { chown: _, link: __, ...options } = instruction.options;
    const folder = from?.kind === "folder" ? from.folder : this.plan.context;
    const stage = new StageState({
      draft: draftOf({ WorkingDir: "/" }),
      scope,
      base: undefined,
      history: [],
      changes: [],
      open: () => Promise.resolve(new Rootfs()),
    });
    const { root, tree } = this.context;
    await carryOutCopy({
      instruction: { ...instruction, args: [...instruction.args.slice(0, -1), to], options },
      source: this.plan.script.source,
      stage,
      from: contextTree(root, folder, tree),
      ...missingIn(folder),
      unpacker: new Unpacker(this.context),
      fetch: () => Promise.reject(new Error("COPY fetches nothing")),
      read: () => Promise.resolve(undefined),
      notice: this.context.notice,
    }, "");
    return (await stage.tree()).resolve(PLACE).node;
  }
}
