/** Builds in GitHub's workflows, called workflows and actions included. */

import { readScript } from "../commands.ts";
import { CHECKOUT, type WrittenBuild } from "../evidence.ts";
import { type ExpressionLookup, resolveExpressions } from "../expressions.ts";
import { isKnown, unknown } from "../partial.ts";
import { joined, type Repository } from "../repository.ts";
import { splitAt } from "../shell.ts";
import {
  isMapping,
  itemsOf,
  linesOf,
  listOf,
  type Mapping,
  mapping,
  scalar,
  yamlDocuments,
} from "../yaml.ts";
import type { Findings } from "./findings.ts";
import { matrixOf } from "./matrix.ts";
import { metadataReferences } from "./metadata.ts";

const WORKFLOWS = /^\.(?:github|gitea|forgejo)\/workflows\/[^/]+\.ya?ml$/;

/** How deep workflows and actions are followed into each other. */
const DEPTH = 4;

/** Reads all workflows. */
export function readWorkflows(repository: Repository, findings: Findings): void {
  new WorkflowReader(repository, findings).readAll();
}

type Values = Readonly<Record<string, string>>;

/** What expressions of a step can name. */
interface Scope {
  readonly env: Values;
  readonly matrix: Values;
  readonly inputs: Values;
  readonly outputs: ReadonlyMap<string, string>;
  readonly folder: string;
  readonly depth: number;
}

const TOP: Omit<Scope, "depth" | "inputs"> = {
  env: {},
  matrix: {},
  outputs: new Map(),
  folder: ".",
};

class WorkflowReader {
  readonly #called = new Set<string>();

  constructor(readonly repository: Repository, readonly findings: Findings) {}

  readAll(): void {
    const paths = this.repository.files.filter((path) => WORKFLOWS.test(path));
    const open = new Map(paths.map((path) => [path, this.#document(path)]));
    const isOnlyCalled = (document: Mapping) => {
      const on = document["on"] ?? document["true"];
      const events = typeof on === "string"
        ? [on]
        : Array.isArray(on)
        ? on
        : Object.keys(mapping(on));
      return events.length === 1 && events[0] === "workflow_call";
    };
    for (const [path, document] of open) {
      if (document !== undefined && !isOnlyCalled(document)) {
        this.#workflow(path, document, {}, DEPTH);
      }
    }
    for (const [path, document] of open) {
      if (document === undefined || !isOnlyCalled(document) || this.#called.has(path)) continue;
      this.#workflow(path, document, {}, DEPTH);
    }
  }

  #document(path: string): Mapping | undefined {
    const documents = yamlDocuments(this.repository.read(path));
    if (documents === undefined) {
      this.findings.notes.add(`${path}: it is no YAML, and was not read`);
    }
    return documents?.[0];
  }

  #workflow(path: string, document: Mapping, given: Values, depth: number): void {
    const on = mapping(document["on"] ?? document["true"]);
    const declared = {
      ...mapping(mapping(on["workflow_dispatch"]).inputs),
      ...mapping(mapping(on["workflow_call"]).inputs),
    };
    const scope: Scope = { ...TOP, inputs: { ...defaults(declared), ...given }, depth };
    const outer = this.#withEnv(scope, document.env);
    for (const job of Object.values(mapping(document.jobs)).filter(isMapping)) {
      for (const matrix of matrixOf(mapping(job.strategy).matrix)) {
        this.#job(path, job, document, { ...outer, matrix: this.#resolved(outer, matrix) });
      }
    }
  }

  #job(path: string, job: Mapping, workflow: Mapping, outer: Scope): void {
    const uses = scalar(job.uses);
    if (uses?.startsWith("./")) {
      const callee = joined(".", uses);
      const document = this.#document(callee);
      this.#called.add(callee);
      if (document !== undefined && outer.depth > 0) {
        this.#workflow(callee, document, this.#resolved(outer, job.with), outer.depth - 1);
      }
      return;
    }
    const folder = scalar(mapping(mapping(job.defaults).run)["working-directory"]) ??
      scalar(mapping(mapping(workflow.defaults).run)["working-directory"]) ?? ".";
    const scope = this.#withEnv(outer, job.env);
    this.#steps(path, job.steps, { ...scope, folder: this.#resolve(folder, scope) });
  }

  #steps(path: string, steps: unknown, outer: Scope): void {
    const outputs = new Map(outer.outputs);
    for (const step of listOf(steps).filter(isMapping)) {
      const scope = this.#withEnv({ ...outer, outputs }, step.env);
      const uses = scalar(step.uses) ?? "";
      const options = this.#resolved(scope, step.with);
      const [action] = splitAt(uses, "@");
      if (action === "docker/metadata-action") this.#metadata(step, options, outputs);
      else if (action === "docker/build-push-action") {
        this.findings.add(actionBuild(options, path));
      } else if (action === "docker/bake-action") this.#bake(options, path);
      else if (action === "redhat-actions/buildah-build") {
        this.findings.add(buildahBuild(options, path));
      } else if (uses.startsWith("./")) this.#action(joined(".", uses), options, scope);
      const run = scalar(step.run);
      if (run !== undefined) this.#run(path, run, step, scope);
    }
  }

  #run(path: string, run: string, step: Mapping, scope: Scope): void {
    const script = this.#resolve(run, scope);
    this.findings.texts.push(script);
    const own = scalar(step["working-directory"]);
    const lookup = (name: string) => scope.env[name] ?? predefined(name, this.repository);
    const folder = own === undefined ? scope.folder : this.#resolve(own, scope);
    this.findings.addScript(readScript(script, lookup, path, "ci", folder), path);
  }

  #metadata(step: Mapping, options: Values, outputs: Map<string, string>): void {
    const id = scalar(step.id)?.toLowerCase();
    if (id === undefined) return;
    outputs.set(`${id}.tags`, metadataReferences(options.images, options.tags).join("\n"));
    outputs.set(`${id}.labels`, options.labels ?? "");
    outputs.set(`${id}.annotations`, options.annotations ?? "");
  }

  #bake(options: Values, source: string): void {
    this.findings.bakes.push({
      source,
      folder: options.workdir ?? ".",
      files: itemsOf(options.files),
      targets: itemsOf(options.targets),
      set: linesOf(options.set),
      pushes: options.push !== undefined && options.push !== "false",
    });
  }

  /** An action of this repository that is made of steps. */
  #action(folder: string, given: Values, scope: Scope): void {
    const path = ["action.yml", "action.yaml"].map((name) => joined(folder, name))
      .find((each) => this.repository.files.includes(each));
    const document = path === undefined ? undefined : this.#document(path);
    if (document === undefined || scope.depth === 0) return;
    const inputs = { ...defaults(mapping(document.inputs)), ...given };
    const { steps } = mapping(document.runs);
    this.#steps(path!, steps, {
      ...scope,
      inputs,
      outputs: new Map(),
      folder: ".",
      depth: scope.depth - 1,
    });
  }

  #withEnv(scope: Scope, env: unknown): Scope {
    let known = scope;
    for (const [name, value] of Object.entries(mapping(env))) {
      const text = this.#resolve(scalar(value) ?? "", known);
      known = { ...known, env: { ...known.env, [name]: text } };
    }
    return known;
  }

  #resolved(scope: Scope, values: unknown): Values {
    return Object.fromEntries(
      Object.entries(mapping(values)).flatMap(([name, value]): [string, string][] => {
        const text = scalar(value);
        return text === undefined ? [] : [[name, this.#resolve(text, scope)]];
      }),
    );
  }

  #resolve(text: string, scope: Scope): string {
    return resolveExpressions(text, this.#lookup(scope));
  }

  #lookup(scope: Scope): ExpressionLookup {
    const { owner, title } = this.repository;
    return (name) => {
      const [context, rest] = splitAt(name, ".");
      switch (context) {
        case "env":
          return member(scope.env, rest);
        case "matrix":
          return member(scope.matrix, rest);
        case "inputs":
          return member(scope.inputs, rest);
        case "steps":
          return scope.outputs.get(rest.replace(".outputs.", "."));
        case "github":
          if (rest === "workspace") return CHECKOUT;
          if (rest.startsWith("event.inputs.")) return member(scope.inputs, rest.slice(13));
          if (rest === "event.repository.name") return title;
          if (rest === "repository_owner") return owner;
          return rest === "repository" && owner !== undefined ? `${owner}/${title}` : undefined;
        default:
          return undefined;
      }
    };
  }
}

/** A member by its name in any case, as expressions have it. */
function member(values: Values, name: string): string | undefined {
  return Object.entries(values).find(([key]) => key.toLowerCase() === name)?.[1];
}

/** Defaults of inputs; those that must be given are not known. */
function defaults(inputs: Mapping): Values {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]): [string, string][] => {
      const { default: written, required } = mapping(value);
      const text = scalar(written);
      if (text !== undefined) {
        return [[name, text.includes("${{") ? unknown(`inputs.${name}`) : text]];
      }
      return required === true ? [] : [[name, ""]];
    }),
  );
}

/** Variables that GitHub sets. */
function predefined(name: string, { owner, title }: Repository): string | undefined {
  if (name === "GITHUB_WORKSPACE") return CHECKOUT;
  if (name === "GITHUB_REPOSITORY_OWNER") return owner;
  if (name === "GITHUB_REPOSITORY" && owner !== undefined) return `${owner}/${title}`;
  return undefined;
}

/** A step that uses docker/build-push-action. */
function actionBuild(options: Values, source: string): WrittenBuild {
  const { context: written = ".", outputs = "" } = options;
  // Buildx's own template: the commit, as if it were cloned.
  const context = written.startsWith("{{defaultContext}}")
    ? written.slice("{{defaultContext}}".length).replace(/^:/, "") || "."
    : written;
  const secrets = [
    ...linesOf(options.secrets).map((line) => secretOf(line, "env")),
    ...itemsOf(options["secret-envs"]).map((line) => secretOf(line, "env")),
    ...linesOf(options["secret-files"]).map((line) => secretOf(line, "src")),
  ];
  const pushes = options.push ?? "";
  return {
    source,
    trust: "ci",
    context: context === "" ? "." : context,
    file: options.file === "" ? undefined : options.file,
    target: options.target,
    network: options.network,
    args: linesOf(options["build-args"]),
    platforms: itemsOf(options.platforms),
    secrets,
    ssh: linesOf(options.ssh),
    cacheFrom: linesOf(options["cache-from"]),
    cacheTo: linesOf(options["cache-to"]),
    contexts: linesOf(options["build-contexts"]),
    labels: linesOf(options.labels),
    annotations: linesOf(options.annotations).map((line) =>
      line.replace(/^[\w,/-]+(?:\[[^\]=]*\])?:/, "")
    ),
    references: itemsOf(options.tags),
    pushes: (pushes !== "" && pushes !== "false") || /(?:type=registry|push=true)/.test(outputs),
    unsupported: ["add-hosts", "shm-size", "ulimit", "cgroup-parent", "allow"].filter((name) =>
      options[name] !== undefined && options[name] !== ""
    ),
  };
}

/** `id=npm,src=.npmrc` as it is; of `NAME=value` the value stays in CI. */
function secretOf(line: string, kind: "env" | "src"): string {
  if (/^(?:id|type|src|env)=/.test(line)) return line;
  const [name, value] = splitAt(line, "=");
  return kind === "src"
    ? `id=${name},src=${value}`
    : isKnown(value) && value !== "" && /^\w+$/.test(value)
    ? `id=${name},env=${value}`
    : `id=${name},env=${name}`;
}

/** A step that uses redhat-actions/buildah-build. */
function buildahBuild(options: Values, source: string): WrittenBuild {
  const name = options.image ?? "";
  const tags = (options.tags ?? "latest").split(/\s+/).filter((tag) => tag !== "");
  return {
    source,
    trust: "ci",
    context: options.context ?? ".",
    file: (options.containerfiles ?? options.dockerfiles)?.trim().split("\n")[0],
    args: linesOf(options["build-args"]),
    platforms: itemsOf(options.platforms),
    labels: linesOf(options.labels),
    references: tags.map((tag) => tag.includes("/") ? tag : `${name}:${tag}`),
  };
}
