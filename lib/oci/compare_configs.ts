/** What differs between two configs, field by field, as people would name the fields. */

import type { Json } from "../model/json.ts";
import type { ImageConfig } from "../model/oci.ts";
import { canonicalJson } from "./json.ts";

/** A field that differs; undefined on the side that does not have it. */
export interface ConfigChange {
  /** e.g. `cmd`, `env PATH`, `label maintainer`, `created`. */
  readonly field: string;
  readonly before?: Json;
  readonly after?: Json;
}

/**
 * Compares two configs. Diff IDs are left out: they differ with the layers' files, which are
 * compared by themselves.
 *
 * @returns sorted by field.
 */
export function compareConfigs(before: ImageConfig, after: ImageConfig): ConfigChange[] {
  const old = fieldsOf(before);
  const now = fieldsOf(after);
  const names = [...new Set([...old.keys(), ...now.keys()])].sort();
  return names.flatMap((field) => {
    const was = old.get(field);
    const is = now.get(field);
    if (canonicalJson(was ?? null) === canonicalJson(is ?? null)) return [];
    return [{
      field,
      ...(was === undefined ? {} : { before: was }),
      ...(is === undefined ? {} : { after: is }),
    }];
  });
}

/** A config's fields by the names people know them by, as `expect` and Dockerfiles have them. */
export function fieldsOf(config: ImageConfig): Map<string, Json> {
  const { config: inner = {}, rootfs: _, history, ...outer } = config;
  const { Env, Labels, ExposedPorts, Volumes, ...rest } = inner;
  const fields: [string, unknown][] = [
    ...Object.entries(outer),
    ...(history ?? []).map((entry, at): [string, unknown] => [`history ${at + 1}`, entry]),
    ...(Env ?? []).map(variable),
    ...Object.entries(Labels ?? {}).map(([name, value]): [string, unknown] => [
      `label ${name}`,
      value,
    ]),
    ...Object.keys(ExposedPorts ?? {}).map((port): [string, unknown] => [`port ${port}`, true]),
    ...Object.keys(Volumes ?? {}).map((path): [string, unknown] => [`volume ${path}`, true]),
    ...Object.entries(rest).map(([name, value]): [string, unknown] => [
      NAMES[name] ?? name.toLowerCase(),
      value,
    ]),
  ];
  // What tools write as null they mean to leave out.
  return new Map(
    fields.filter((field): field is [string, Json] => field[1] !== undefined && field[1] !== null),
  );
}

function variable(assignment: unknown): [string, string] {
  const [, name, value] = /^([^=]*)=?(.*)$/s.exec(String(assignment))!;
  return [`env ${name}`, value!];
}

const NAMES: Readonly<Record<string, string>> = {
  WorkingDir: "workdir",
  StopSignal: "stop signal",
};
