/** Everything a plan reads, and its normal form for the key. */

import type { Json } from "../../../lib/model/json.ts";
import type { RemoteSource } from "../../../lib/model/source.ts";
import { faultAt, type Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";
import type { Folder } from "./folders.ts";
import type { Options } from "./options.ts";
import { inheritedInKey, standsOnImage } from "./inherited_args.ts";
import { escapePattern, hasWildcard } from "./match.ts";
import { Scope, UnknownValue } from "./scope.ts";
import { FolderUse, type SourceRules } from "./select.ts";
import { isRemote, type Remote, remoteOf } from "./remote.ts";
import { excludePatterns, parentsSource, pathArguments, sourcePattern } from "./sources.ts";
import type { Origin, Plan, PlannedStage, Step } from "./stages.ts";

/** An instruction that cannot be carried out without an engine. */
export interface EngineNeed {
  readonly instruction: Instruction;
  /** What it is, e.g. `RUN`. */
  readonly what: string;
}

/** A source of COPY or ADD that names one file or folder of a build context. */
export interface NamedSource {
  readonly instruction: Instruction;
  /** As it is written. */
  readonly word: string;
  readonly folder: Folder;
  /** Pattern below the folder, without wildcards. */
  readonly pattern: string;
}

/** Files of a build context that an instruction reads. */
export interface ContextRead {
  readonly folder: Folder;
  /** Go pattern below the folder; empty for all of it. */
  readonly pattern: string;
  readonly rules: SourceRules;
}

/** An ADD that fetches something. */
export interface FetchedAdd {
  readonly instruction: Instruction;
  readonly remotes: readonly Remote[];
  /** It adds files of the context or here-documents too. */
  readonly isMixed: boolean;
}

/** What a plan reads. */
export interface Survey {
  readonly folders: readonly FolderUse[];
  /** Names of images of images.ts. */
  readonly images: readonly string[];
  /** Normalised references of remote images. */
  readonly bases: readonly string[];
  /** URLs and git repositories. */
  readonly remotes: readonly RemoteSource[];
  readonly fetchedAdds: readonly FetchedAdd[];
  readonly engineNeeds: readonly EngineNeed[];
  /** Sources that must be there, as far as they are known before a build. */
  readonly sources: readonly NamedSource[];
  /** Files of build contexts that each instruction reads. */
  readonly reads: ReadonlyMap<Instruction, readonly ContextRead[]>;
  /** The reachable instructions, without what cannot change the image. */
  readonly normal: Readonly<Record<string, Json>>;
}

/** Where PATH is not set by a base, Docker sets it. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Surveys a plan without reading any image. @throws {Fault} with the line, for bad expressions. */
export function survey(plan: Plan, options: Options): Survey {
  return new Surveyor(plan, options).run();
}

class Surveyor {
  readonly #folders = new Map<Folder, FolderUse>();
  readonly #images = new Set<string>();
  readonly #bases = new Set<string>();
  readonly #remotes = new Map<string, RemoteSource>();
  readonly #fetchedAdds: FetchedAdd[] = [];
  readonly #needs: EngineNeed[] = [];
  readonly #sources: NamedSource[] = [];
  readonly #reads = new Map<Instruction, ContextRead[]>();
  readonly #scopes = new Map<number, Scope>();

  constructor(readonly plan: Plan, readonly options: Options) {}

  run(): Survey {
    const stages = this.plan.stages.map((stage) => this.#stage(stage));
    const runs = this.plan.stages.some((stage) =>
      stage.steps.some((step) => step.instruction.keyword === "RUN")
    );
    const inherited = inheritedInKey(this.plan, this.options);
    const syntax = this.options.args.get("BUILDKIT_SYNTAX") ?? this.plan.script.syntax;
    return {
      folders: [...this.#folders.values()],
      images: [...this.#images].sort(),
      bases: [...this.#bases].sort(),
      remotes: [...this.#remotes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, it]) => it),
      fetchedAdds: this.#fetchedAdds,
      engineNeeds: this.#needs,
      sources: this.#sources,
      reads: this.#reads,
      normal: {
        escape: this.plan.script.escape,
        stages,
        ...(inherited === undefined ? {} : { inherited }),
        ...(runs && this.options.network !== undefined ? { network: this.options.network } : {}),
        ...(runs && syntax !== undefined ? { syntax } : {}),
      },
    };
  }

  #stage(stage: PlannedStage): Json {
    const { origin, platform } = stage;
    const scope = origin.kind === "stage"
      ? this.#scopes.get(origin.index)!.inherit()
      : new Scope(this.plan.script.source, this.plan.script.escape, {
        open: standsOnImage(stage),
      }, this.plan.budget);
    if (!standsOnImage(stage) && origin.kind !== "stage") {
      scope.addEnvironment([`PATH=${DEFAULT_PATH}`]);
    }
    if (origin.kind === "folder") this.#use(origin.folder).add("");
    if (platform !== undefined) {
      this.#needs.push({ instruction: stage.stage.from, what: `a base for ${platform}` });
    }
    this.#scopes.set(stage.index, scope);
    return {
      base: this.#origin(origin),
      ...(platform === undefined ? {} : { platform }),
      steps: stage.steps.map((step) => this.#step(step, scope)),
    };
  }

  #step(step: Step, scope: Scope): Json {
    const { instruction, from, mounts } = step;
    const { keyword, options, args, pairs, json, behind, heredocs } = instruction;
    if (keyword === "ENV") scope.setEnvironment(instruction);
    if (keyword === "ARG") return ["ARG", ...this.#declare(instruction, scope)];
    if (keyword === "COPY" || keyword === "ADD") this.#copy(step, scope);
    if (keyword === "RUN") {
      this.#needs.push({ instruction, what: "RUN" });
      for (const mount of mounts) {
        const folder = mount.origin === undefined
          ? (mount.type === "bind" ? this.plan.context : undefined)
          : mount.origin.kind === "folder"
          ? mount.origin.folder
          : undefined;
        if (folder !== undefined) this.#mount(folder, mount.source, instruction, scope);
      }
    }
    const { from: _, ...others } = options;
    return [
      keyword,
      {
        ...(Object.keys(others).length === 0 ? {} : { flags: others as Json }),
        ...(from === undefined ? {} : { from: this.#origin(from) }),
        ...(mounts.length === 0 ? {} : {
          mounts: mounts.map(({ origin }) => origin === undefined ? null : this.#origin(origin)),
        }),
        ...(json ? { json } : {}),
        ...(behind === undefined ? {} : { behind }),
        ...(pairs.length === 0 ? {} : { pairs: pairs.map(({ name, value }) => [name, value]) }),
        ...(args.length === 0 ? {} : { args }),
        ...(heredocs.length === 0 ? {} : { heredocs: heredocs.map((it) => ({ ...it })) }),
      },
    ];
  }

  /** An ARG by its value: defaults that are overridden, and how they are written, do not count. */
  #declare(instruction: Instruction, scope: Scope): Json[] {
    const { hostArgs } = this.options;
    const isHidden = [...hostArgs].some((name) =>
      instruction.args.some((word) => word.includes(name))
    );
    const declared = scope.declare(instruction, this.plan.args);
    // The values of host variables are in the key as digests, and nowhere else.
    if (isHidden) return instruction.args.map((word) => ({ written: word }));
    return declared.map(({ name, value }) => [name, value ?? null]);
  }

  #copy({ instruction, from }: Step, scope: Scope): void {
    const folder = from === undefined
      ? this.plan.context
      : from.kind === "folder"
      ? from.folder
      : undefined;
    const remotes: Remote[] = [];
    for (const word of pathArguments(instruction)) {
      const remote = instruction.keyword === "ADD"
        ? this.#remote(word, instruction, scope)
        : undefined;
      if (remote !== undefined) remotes.push(remote);
      else if (folder !== undefined) this.#take(folder, word, instruction, scope);
    }
    if (remotes.length === 0) return;
    const isMixed = remotes.length < instruction.args.length - 1;
    this.#fetchedAdds.push({ instruction, remotes, isMixed });
  }

  /** A source that ADD fetches; undefined for one of the context. */
  #remote(written: string, instruction: Instruction, scope: Scope): Remote | undefined {
    const { source } = this.plan.script;
    try {
      const expanded = scope.expand(written, instruction);
      if (!isRemote(expanded)) return undefined;
      const sum = instruction.options["checksum"]?.[0];
      const checksum = sum === undefined ? undefined : scope.expand(sum, instruction);
      const word = { instruction, written, expanded, checksum };
      const remote = remoteOf(word, this.options, source);
      this.#keep(remote.source);
      return remote;
    } catch (error) {
      if (!(error instanceof UnknownValue)) throw error;
      // What only the base's environment tells is not looked at before the key is made.
      if (!isRemote(written)) return undefined;
      throw unknownUrl(written, instruction, source);
    }
  }

  #keep(source: RemoteSource): void {
    const { name, fixed = "", keepGitDir = false, skipSubmodules = false } = source;
    this.#remotes.set([name, fixed, keepGitDir, skipSubmodules].join(" "), source);
  }

  #take(folder: Folder, word: string, instruction: Instruction, scope: Scope): void {
    const { source: file } = this.plan.script;
    try {
      const written = scope.expand(word, instruction);
      const pattern = sourcePattern(written, instruction, file);
      const exclude = excludePatterns(instruction, file);
      if (instruction.options["parents"]?.[0] === "true") {
        const { start, pattern: below } = parentsSource(written, instruction, file);
        this.#read(instruction, folder, start, { exclude, below });
      } else this.#read(instruction, folder, pattern, { exclude });
      if (!hasWildcard(pattern)) this.#sources.push({ instruction, word, folder, pattern });
    } catch (error) {
      if (!(error instanceof UnknownValue)) throw error;
      // Only the base's environment can tell: everything in the context may be meant.
      this.#read(instruction, folder, "");
    }
  }

  /** A mount's source is a path: stars in it are its own. */
  #mount(folder: Folder, word: string, instruction: Instruction, scope: Scope): void {
    try {
      const path = escapePattern(scope.expand(word, instruction));
      this.#read(
        instruction,
        folder,
        sourcePattern(path, instruction, this.plan.script.source),
      );
    } catch (error) {
      if (!(error instanceof UnknownValue)) throw error;
      this.#read(instruction, folder, "");
    }
  }

  #read(instruction: Instruction, folder: Folder, pattern: string, rules: SourceRules = {}): void {
    this.#use(folder).add(pattern, rules);
    const reads = this.#reads.get(instruction) ?? [];
    this.#reads.set(instruction, [...reads, { folder, pattern, rules }]);
  }

  #use(folder: Folder): FolderUse {
    const use = this.#folders.get(folder) ?? new FolderUse(folder);
    this.#folders.set(folder, use);
    return use;
  }

  #origin(origin: Origin): Json {
    switch (origin.kind) {
      case "stage":
        return { stage: this.plan.stages.findIndex((stage) => stage.index === origin.index) };
      case "image":
        this.#images.add(origin.name);
        return { image: origin.name };
      case "base":
        this.#bases.add(origin.reference);
        return { base: origin.reference };
      case "folder":
        return { folder: origin.folder.path };
      case "layout":
        return { layout: origin.digest };
      case "git": {
        const { source, subdir } = origin.remote;
        const { url: _, ...written } = source;
        this.#keep(source);
        return { git: { ...written }, subdir };
      }
      default:
        return "scratch";
    }
  }
}

/** A URL must be known before the build: what it serves is part of the key. */
export function unknownUrl(word: string, instruction: Instruction, source: Source) {
  const message = `${word} takes a variable that neither ARG nor ENV sets before`;
  return faultAt(source, instruction, message, {
    word,
    next: "declare it in this stage with ARG or ENV: what a URL serves is part of the key",
  });
}
