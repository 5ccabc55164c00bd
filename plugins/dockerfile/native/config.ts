/** The instructions that change an image's config and no files. */

import type { ContainerConfig, Healthcheck } from "../../../lib/model/oci.ts";
import type { Scope } from "../plan/scope.ts";
import { DEFAULT_PATH } from "../plan/survey.ts";
import { faultAt, type Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";
import { triggerText } from "../syntax/statements.ts";
import { parseDuration } from "./duration.ts";
import { exposedPorts } from "./ports.ts";
import { cleanAbsolute } from "./rootfs.ts";
import { isSignal } from "./signals.ts";

/** A container config while it is being made. */
export type Draft = { -readonly [Name in keyof ContainerConfig]: ContainerConfig[Name] };

/** What the instructions of one stage change together. */
export interface Drafting {
  readonly config: Draft;
  author?: string;
  /** A CMD of this Dockerfile: an ENTRYPOINT after it keeps it, and drops an inherited one. */
  hasCommand: boolean;
}

/** A stage's config at its beginning: the base's, its triggers used up, with a PATH. */
export function draftOf(base: ContainerConfig | undefined, author?: string): Drafting {
  const config: Draft = { ...base };
  delete config.OnBuild;
  const environment = config.Env ?? [];
  if (!environment.some((entry) => entry.startsWith("PATH="))) {
    config.Env = [...environment, `PATH=${DEFAULT_PATH}`];
  }
  // Tables of its own: instructions add to them, as copying them for each line takes long.
  const { Labels, ExposedPorts, Volumes } = config;
  if (Labels) config.Labels = { ...Labels };
  if (ExposedPorts) config.ExposedPorts = { ...ExposedPorts };
  if (Volumes) config.Volumes = { ...Volumes };
  return { config, ...(author === undefined ? {} : { author }), hasCommand: false };
}

/**
 * Applies an instruction to the config.
 *
 * @returns the line of the image's history, as Docker writes it.
 * @throws {Fault} with the line, for values that make no sense.
 */
export function applyToConfig(
  draft: Drafting,
  instruction: Instruction,
  scope: Scope,
  source: Source,
): string {
  const { config } = draft;
  const { keyword } = instruction;
  switch (keyword) {
    case "CMD":
      config.Cmd = commandLine(instruction, config);
      draft.hasCommand = true;
      return `CMD ${quoted(config.Cmd)}`;
    case "ENTRYPOINT":
      config.Entrypoint = commandLine(instruction, config);
      if (!draft.hasCommand) delete config.Cmd;
      return `ENTRYPOINT ${quoted(config.Entrypoint)}`;
    case "ENV": {
      const pairs = scope.setEnvironment(instruction);
      for (const { name, value = "" } of pairs) {
        config.Env = setVariable(config.Env ?? [], name, value);
      }
      return `ENV ${pairs.map(({ name, value }) => `${name}=${value ?? ""}`).join(" ")}`;
    }
    case "EXPOSE": {
      const ports = [...scope.expandAll(instruction.args, instruction)].sort().flatMap((port) =>
        exposedPorts(port, instruction, source)
      );
      config.ExposedPorts = addTo(config.ExposedPorts, ports.map((port) => [port, {}]));
      return `EXPOSE [${ports.join(" ")}]`;
    }
    case "HEALTHCHECK":
      config.Healthcheck = healthcheck(instruction, source);
      return `HEALTHCHECK ${JSON.stringify(config.Healthcheck)}`;
    case "LABEL": {
      const pairs = instruction.pairs.map(({ name, value }): [string, string] => [
        scope.expand(name, instruction),
        scope.expand(value, instruction),
      ]);
      config.Labels = addTo(config.Labels, pairs);
      return `LABEL ${pairs.map(([name, value]) => `${name}=${value}`).join(" ")}`;
    }
    case "MAINTAINER":
      draft.author = instruction.args[0]!;
      return `MAINTAINER ${draft.author}`;
    case "ONBUILD":
      config.OnBuild = [...(config.OnBuild ?? []), keptTrigger(instruction, source)];
      return `ONBUILD ${config.OnBuild.at(-1)}`;
    case "SHELL":
      config.Shell = instruction.args;
      return `SHELL [${instruction.args.join(" ")}]`;
    case "STOPSIGNAL": {
      const signal = scope.expand(instruction.args[0]!, instruction);
      if (!isSignal(signal)) {
        throw faultAt(source, instruction, `There is no signal "${signal}"`, {
          word: instruction.args[0]!,
          next: 'write its name, such as "SIGTERM", or its number',
        });
      }
      config.StopSignal = signal;
      return `STOPSIGNAL ${signal}`;
    }
    case "USER":
      config.User = scope.expand(instruction.args[0]!, instruction);
      return `USER ${config.User}`;
    case "VOLUME": {
      const volumes = instruction.args.map((word) => scope.expand(word, instruction).trim());
      if (volumes.includes("")) {
        throw faultAt(source, instruction, "A volume has no path", {
          next: "write a path, or remove the empty word",
        });
      }
      config.Volumes = addTo(config.Volumes, volumes.map((path) => [path, {}]));
      return `VOLUME [${volumes.join(" ")}]`;
    }
    case "WORKDIR":
      config.WorkingDir = newWorkingFolder(
        config,
        scope.expand(instruction.args[0]!, instruction),
      );
      return `WORKDIR ${config.WorkingDir}`;
    default:
      throw new TypeError(`${keyword} does not change the config`);
  }
}

/** A path as instructions see it: relative ones are below the working folder. */
export function workingFolder(config: Draft, path: string): string {
  return cleanAbsolute(path.startsWith("/") ? path : `${config.WorkingDir ?? "/"}/${path}`);
}

/** Docker keeps an absolute path as it is written, and cleans a relative one. */
function newWorkingFolder(config: Draft, path: string): string {
  return path.startsWith("/") ? path : workingFolder(config, path);
}

function commandLine({ json, args }: Instruction, config: Draft): readonly string[] {
  if (json) return args;
  return [...(config.Shell ?? ["/bin/sh", "-c"]), ...(args.length === 0 ? [""] : args)];
}

function quoted(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(" ")}]`;
}

function setVariable(environment: readonly string[], name: string, value: string): string[] {
  const start = `${name}=`;
  const entry = start + value;
  const at = environment.findIndex((it) => it.startsWith(start) || it === name);
  return at < 0 ? [...environment, entry] : environment.toSpliced(at, 1, entry);
}

/** Adds to a table of the draft's own. Any name is one of its own, `__proto__` too. */
function addTo<Value>(
  table: Readonly<Record<string, Value>> | undefined,
  entries: readonly (readonly [string, Value])[],
): Readonly<Record<string, Value>> {
  const own = table ?? {};
  const attributes = { enumerable: true, writable: true, configurable: true };
  for (const [name, value] of entries) Object.defineProperty(own, name, { ...attributes, value });
  return own;
}

function keptTrigger(instruction: Instruction, source: Source): string {
  const keyword = /^\S+/.exec(instruction.args[0]!)![0].toUpperCase();
  if (keyword === "ONBUILD" || keyword === "FROM" || keyword === "MAINTAINER") {
    throw faultAt(source, instruction, `${keyword} cannot be left for later by ONBUILD`, {
      next: "remove the line",
    });
  }
  return triggerText(instruction);
}

function healthcheck(instruction: Instruction, source: Source): Healthcheck {
  const [type, ...command] = instruction.args;
  const fail = (message: string, word: string, next: string) =>
    faultAt(source, instruction, message, { word, next });
  if (type === "NONE") {
    if (command.length > 0) {
      throw fail("HEALTHCHECK NONE takes no arguments", command[0]!, "remove what follows NONE");
    }
    return { Test: ["NONE"] };
  }
  if (type !== "CMD" || command.length === 0) {
    throw fail("HEALTHCHECK has no command", type!, 'write "HEALTHCHECK CMD command", or NONE');
  }
  const check: { -readonly [Name in keyof Healthcheck]: Healthcheck[Name] } = {
    Test: [instruction.json ? "CMD" : "CMD-SHELL", ...command],
  };
  const times = {
    interval: "Interval",
    timeout: "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
  } as const;
  for (const [flag, name] of Object.entries(times)) {
    const text = instruction.options[flag]?.[0];
    if (text === undefined || text === "") continue;
    const time = parseDuration(text);
    if (time === undefined || (time !== 0 && time < 1_000_000)) {
      throw fail(
        `--${flag} cannot be "${text}"`,
        text,
        'write a time of at least 1ms, such as "30s" or "1m30s"',
      );
    }
    if (time !== 0) check[name as (typeof times)[keyof typeof times]] = time;
  }
  const retries = instruction.options["retries"]?.[0];
  if (retries !== undefined && retries !== "") {
    if (!/^\d{1,9}$/.test(retries)) {
      throw fail(`--retries cannot be "${retries}"`, retries, "write a number of times");
    }
    if (Number(retries) > 0) check.Retries = Number(retries);
  }
  return check;
}
