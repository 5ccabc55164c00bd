/** Assembling an image without an engine: stages in their order, the last one's layers written. */

import { Fault } from "../../../lib/model/errors.ts";
import type { ImageSource, LocalImage } from "../../../lib/model/image.ts";
import type { ImageConfig } from "../../../lib/model/oci.ts";
import { parsePlatform } from "../../../lib/model/platform.ts";
import type { BuildRequest } from "../../../lib/model/plugin.ts";
import { encodeConfig } from "../../../lib/oci/documents.ts";
import { type Folder, missingIn } from "../plan/folders.ts";
import { inheritedArgs, refuseOutsideArgs } from "../plan/inherited_args.ts";
import type { Options } from "../plan/options.ts";
import { checkBase } from "../plan/platform.ts";
import { type Remote, remoteOf } from "../plan/remote.ts";
import { type BuildArgs, Scope } from "../plan/scope.ts";
import { nameOf, type Origin, type Plan, type PlannedStage, type Step } from "../plan/stages.ts";
import { DEFAULT_PATH, unknownUrl } from "../plan/survey.ts";
import { faultAt } from "../syntax/place.ts";
import { Unpacker } from "./archive.ts";
import { imageTree } from "./base.ts";
import { applyToConfig, type Draft, draftOf } from "./config.ts";
import { contextTree } from "./context.ts";
import { copySource } from "./copy.ts";
import { carryOutCopy, type FetchedWord } from "./copying.ts";
import { extractFiles } from "./extract.ts";
import { findOwner, type ReadText } from "./owner.ts";
import { layoutImage } from "./layout_image.ts";
import { RemoteTrees } from "./remote_tree.ts";
import { PLAIN_FOLDER, Rootfs, TreeConflict } from "./rootfs.ts";
import { StageState } from "./stage.ts";
import { passOn, writeLayers } from "./write.ts";

/** Builds a planned image. @throws {Fault} with the line of what cannot be carried out. */
export async function assemble(
  request: BuildRequest,
  plan: Plan,
  options: Options,
): Promise<ImageSource> {
  return await new Assembler(request, plan, options).run();
}

/** A remote source that cannot be had: no engine would get another. */
export class SourceFault extends Fault {
  constructor(cause: Fault, { message, kind, place, excerpt, next }: Fault) {
    super(message, {
      kind,
      cause,
      ...(place === undefined ? {} : { place }),
      ...(excerpt === undefined ? {} : { excerpt }),
      ...(next === undefined ? {} : { next }),
    });
  }
}

class Assembler {
  readonly #stages = new Map<number, StageState>();
  readonly #contexts = new Map<Folder, Rootfs>();
  readonly #unpacker: Unpacker;
  readonly #remotes: RemoteTrees;
  readonly #created: string;

  constructor(readonly request: BuildRequest, readonly plan: Plan, readonly options: Options) {
    this.#unpacker = new Unpacker(request.context);
    this.#remotes = new RemoteTrees(request.context);
    const time = new Date(request.context.created * 1000);
    this.#created = time.toISOString().replace(/\.000Z$/, "Z");
  }

  async run(): Promise<ImageSource> {
    for (const planned of this.plan.stages) {
      this.request.context.signal.throwIfAborted();
      this.#stages.set(planned.index, await this.#build(planned));
    }
    const target = this.#stages.get(this.plan.stages.at(-1)!.index)!;
    const inherited = target.base === undefined ? [] : passOn(target.base);
    if (inherited.length + target.changes.length === 0) target.addEmptyLayer();
    const layers = [...inherited, ...await writeLayers(target.changes, this.request.context)];
    return { config: encodeConfig(this.#config(target, layers.map((it) => it.diffId))), layers };
  }

  #config(stage: StageState, diffIds: ImageConfig["rootfs"]["diff_ids"]): ImageConfig {
    const { base, draft, history } = stage;
    const config: Draft = { ...draft.config };
    const { labels } = this.request.image.common;
    if (Object.keys(labels).length > 0) config.Labels = { ...config.Labels, ...labels };
    return {
      ...(base?.config ?? {}),
      ...parsePlatform(this.plan.platform),
      created: this.#created,
      ...(draft.author === undefined ? {} : { author: draft.author }),
      config,
      rootfs: { type: "layers", diff_ids: diffIds },
      history,
    };
  }

  async #build(planned: PlannedStage): Promise<StageState> {
    const { stage, triggers } = await this.#begin(planned);
    const inherited = inheritedArgs(this.plan, this.options);
    for (const step of triggers) {
      refuseOutsideArgs(step.instruction, this.plan, inherited);
      await this.#carryOut(step, stage, planned, inherited);
    }
    for (const step of planned.steps) await this.#carryOut(step, stage, planned, this.plan.args);
    return stage;
  }

  async #begin(planned: PlannedStage): Promise<{ stage: StageState; triggers: readonly Step[] }> {
    const { origin } = planned;
    if (origin.kind === "stage") {
      const parent = this.#stages.get(origin.index)!;
      const stage = new StageState({
        draft: draftOf(parent.draft.config, parent.draft.author),
        scope: parent.scope.inherit(),
        base: parent.base,
        history: parent.history,
        changes: parent.changes,
        open: async () => (await parent.tree()).fork(),
      });
      return { stage, triggers: [] };
    }
    const { script: { source, escape }, budget } = this.plan;
    const scope = new Scope(source, escape, { open: false }, budget);
    const image = await this.#image(origin);
    if (image === undefined) {
      const stage = new StageState({
        draft: draftOf({ WorkingDir: "/" }),
        scope,
        base: undefined,
        history: [],
        changes: [],
        open: () => Promise.resolve(new Rootfs()),
      });
      scope.addEnvironment([`PATH=${DEFAULT_PATH}`]);
      if (origin.kind !== "scratch") await this.#copyFolder(stage, origin);
      return { stage, triggers: [] };
    }
    checkBase(image, planned, this.plan);
    const draft = draftOf(image.config.config, image.config.author);
    scope.addEnvironment(draft.config.Env ?? []);
    const stage = new StageState({
      draft,
      scope,
      base: image,
      history: image.config.history ?? [],
      changes: [],
      open: async () => (await imageTree(image, this.request.context)).fork(),
    });
    return { stage, triggers: this.plan.triggers(image.config.config?.OnBuild ?? [], planned) };
  }

  async #copyFolder(stage: StageState, origin: Origin): Promise<void> {
    const tree = await stage.tree();
    const { from } = await this.#source(origin, false);
    copySource(from, "/", tree, { to: "/" });
    stage.commitTree(tree, "COPY . /", this.#created);
  }

  async #carryOut(
    step: Step,
    stage: StageState,
    planned: PlannedStage,
    args: BuildArgs,
  ): Promise<void> {
    const { instruction } = step;
    const { source } = this.plan.script;
    switch (instruction.keyword) {
      case "ARG": {
        const declared = stage.scope.declare(instruction, args);
        const words = declared.map(({ name, value }) =>
          // Values of host variables may be secrets: a config is no place for them.
          value === undefined || this.options.hostArgs.has(name) ? name : `${name}=${value}`
        );
        return stage.note(`ARG ${words.join(" ")}`, this.#created);
      }
      case "COPY":
      case "ADD":
        return await this.#copy(step, stage, planned);
      case "WORKDIR": {
        const line = applyToConfig(stage.draft, instruction, stage.scope, source);
        return await this.#makeWorkingFolder(line, step, stage);
      }
      case "RUN":
        // Surveys find every RUN but those that a base left by ONBUILD.
        throw faultAt(source, instruction, "RUN by the base's ONBUILD needs an engine", {
          kind: "unavailable",
          next: "install docker with buildx, podman or buildah",
        });
      default:
        stage.note(applyToConfig(stage.draft, instruction, stage.scope, source), this.#created);
    }
  }

  async #makeWorkingFolder(line: string, step: Step, stage: StageState): Promise<void> {
    const { User: user, WorkingDir: path = "/" } = stage.draft.config;
    if (path === "/") return stage.note(line, this.#created);
    const tree = await stage.tree();
    try {
      const owner = user === undefined || user === ""
        ? undefined
        : await findOwner(user, this.#reader(stage)) ??
          // Docker lets a group pass that nobody knows.
          await findOwner(user.replace(/:.*$/, ""), this.#reader(stage));
      tree.makeFolders(path, { ...PLAIN_FOLDER, ...owner });
    } catch (error) {
      if (!(error instanceof TreeConflict)) throw error;
      throw faultAt(this.plan.script.source, step.instruction, `Cannot make it: ${error.message}`, {
        next: "choose another working folder",
        cause: error,
      });
    }
    stage.commitTree(tree, line, this.#created);
  }

  async #copy(step: Step, stage: StageState, planned: PlannedStage): Promise<void> {
    const { instruction } = step;
    const isTrigger = instruction.line === planned.stage.from.line;
    await carryOutCopy({
      instruction,
      source: this.plan.script.source,
      stage,
      ...await this.#source(step.from, isTrigger),
      unpacker: this.#unpacker,
      fetch: (written, expanded) => this.#fetch(written, expanded, step, stage, isTrigger),
      read: this.#reader(stage),
      notice: this.request.context.notice,
    }, this.#created);
  }

  async #source(
    origin: Origin | undefined,
    isTrigger: boolean,
  ): Promise<{ from: Rootfs; fromName: string; missing: string }> {
    if (origin === undefined || origin.kind === "folder") {
      const folder = origin === undefined ? this.plan.context : origin.folder;
      const { fromName, missing } = missingIn(folder);
      return {
        from: this.#contextTree(folder),
        fromName,
        missing: isTrigger
          ? "add what the base's ONBUILD reads to the recipe's inputs, relative to images.ts"
          : missing,
      };
    }
    const missing = "correct the path, or copy it into that image first";
    if (origin.kind === "stage") {
      const tree = await this.#stages.get(origin.index)!.tree();
      const name = nameOf(this.plan.script.stages[origin.index]!);
      return { from: tree, fromName: `the stage ${name}`, missing };
    }
    if (origin.kind === "git") {
      const { tree: from } = await this.#remotes.open(origin.remote);
      const { name } = origin.remote.source;
      return { from, fromName: name, missing: "correct the path, or name another ref" };
    }
    const image = await this.#image(origin);
    if (image === undefined) return { from: new Rootfs(), fromName: "scratch", missing };
    const from = await imageTree(image, this.request.context);
    return { from, fromName: `the image ${image.name}`, missing };
  }

  async #image(origin: Origin): Promise<LocalImage | undefined> {
    const { context } = this.request;
    if (origin.kind === "image") return await context.need(origin.name);
    if (origin.kind === "layout") return await layoutImage(origin.folder, origin.digest, context);
    return origin.kind === "base" ? await context.base(origin.reference) : undefined;
  }

  /** What a word of ADD names elsewhere, as the key knows it. */
  async #fetch(
    written: string,
    expanded: string,
    { instruction }: Step,
    { scope }: StageState,
    isTrigger: boolean,
  ): Promise<FetchedWord> {
    const { source } = this.plan.script;
    const { context } = this.request;
    const sum = instruction.options["checksum"]?.[0];
    const checksum = sum === undefined ? undefined : scope.expand(sum, instruction);
    const word = { instruction, written, expanded, checksum };
    const remote: Remote = remoteOf(word, this.options, source);
    const { name, fixed, secret } = remote.source;
    if (fixed === undefined && context.sources[name] === undefined) {
      throw isTrigger
        ? faultAt(source, instruction, `The base's ONBUILD adds ${name}, which is not in the key`, {
          next: "add it to the image's own Dockerfile, and take a base without that ONBUILD",
        })
        : unknownUrl(written, instruction, source);
    }
    const faultOf = ({ message, kind, next }: Fault) =>
      faultAt(source, instruction, message, {
        kind,
        word: written,
        ...(next === undefined ? {} : { next }),
      });
    try {
      return { ...await this.#remotes.open(remote), shown: secret ? written : expanded };
    } catch (error) {
      throw error instanceof Fault ? new SourceFault(error, faultOf(error)) : error;
    }
  }

  #contextTree(folder: Folder): Rootfs {
    const { root, tree } = this.request.context;
    const known = this.#contexts.get(folder) ?? contextTree(root, folder, tree);
    this.#contexts.set(folder, known);
    return known;
  }

  #reader(stage: StageState): ReadText {
    return async (path) => {
      const node = (await stage.tree()).resolve(path).node;
      if (node?.type !== "file") return undefined;
      const { content } = node;
      if (content.kind === "bytes") return new TextDecoder().decode(content.bytes);
      if (content.kind === "host") return await Deno.readTextFile(content.path);
      const paths = await extractFiles(
        content.image,
        new Set([content.path]),
        this.request.context,
      );
      return await Deno.readTextFile(paths.get(content.path)!);
    };
  }
}
