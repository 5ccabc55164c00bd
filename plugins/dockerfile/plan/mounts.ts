/** The mounts of RUN that read files. */

import { faultAt, type Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";

/** A bind or cache mount. */
export interface Mount {
  readonly type: "bind" | "cache";
  /** A stage, a named context or an image; undefined is the main context, or an empty cache. */
  readonly from?: string;
  /** Path in what it is mounted from, not yet expanded. */
  readonly source: string;
}

const TYPES = new Set(["bind", "cache", "secret", "ssh", "tmpfs"]);

/**
 * The bind and cache mounts among a RUN's `--mount` flags.
 *
 * @throws {Fault} for an unknown type of mount.
 */
export function readMounts(instruction: Instruction, file: Source): Mount[] {
  return (instruction.options["mount"] ?? []).flatMap((flag): Mount[] => {
    const fields = new Map<string, string>();
    for (const field of csvFields(flag)) {
      const at = field.indexOf("=");
      const name = (at < 0 ? field : field.slice(0, at)).toLowerCase();
      fields.set(name, at < 0 ? "true" : field.slice(at + 1));
    }
    const type = (fields.get("type") ?? "bind").toLowerCase();
    if (!TYPES.has(type)) {
      throw faultAt(file, instruction, `There is no mount of type "${type}"`, {
        word: type,
        next: `use one of ${[...TYPES].join(", ")}`,
      });
    }
    const from = fields.get("from");
    if (type !== "bind" && (type !== "cache" || from === undefined)) return [];
    const source = fields.get("source") ?? fields.get("src") ?? "";
    return [{ type: type as Mount["type"], ...(from === undefined ? {} : { from }), source }];
  });
}

/** Absolute paths that a RUN mounts something at, as they are written. */
export function mountTargets(instruction: Instruction): string[] {
  return (instruction.options["mount"] ?? []).flatMap((flag) =>
    csvFields(flag).flatMap((field) =>
      /^(?:target|dst|destination)=(\/.*)$/i.exec(field)?.[1] ?? []
    )
  );
}

/** One line of comma-separated values: a field may be quoted, a doubled quote is a quote. */
export function csvFields(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((match) =>
    match[1]?.replaceAll('""', '"') ?? match[2] ?? ""
  );
}
