/**
 * Secrets, as docker writes them: `id=npm,src=.npmrc`, `id=token,env=TOKEN`.
 *
 * Engines are only told where a value is. The values themselves are read for one purpose: a build
 * that prints one does not get it into a log.
 *
 * @see https://docs.docker.com/reference/cli/docker/buildx/build/#secret
 */

import { Fault, usageFault } from "../../../lib/model/errors.ts";
import { csvFields } from "../plan/mounts.ts";
import type { Secret } from "./engine.ts";
import { readRegularText } from "../../../lib/util/regular_file.ts";

/** Takes secrets out of a line of output. */
export type Redactor = (line: string) => string;

/** What a value is replaced by. */
const MASK = "***";

/** The shortest value, and the shortest line of a longer one, that is looked for, in characters. */
const SHORTEST_VALUE = 3;
const SHORTEST_LINE = 8;

/** The largest file whose content is looked for, in bytes. */
const LARGEST = 256 * 1024;

/**
 * Reads the recipe's secrets.
 *
 * @param root absolute path of images.ts' folder.
 * @throws {Fault} for one that is malformed, or whose file or variable is not there.
 */
export function readSecrets(written: readonly string[], root: string): Secret[] {
  return written.map((text) => {
    const fields = new Map(
      csvFields(text).map((field) => {
        const at = field.indexOf("=");
        return at < 0 ? [field, ""] as const : [field.slice(0, at), field.slice(at + 1)] as const;
      }),
    );
    const id = fields.get("id");
    if (!id) {
      throw usageFault(`The secret "${text}" has no id`, {
        next: 'write it as "id=NAME,src=FILE" or "id=NAME,env=VARIABLE"',
      });
    }
    return secretOf(id, fields, root);
  });
}

function secretOf(id: string, fields: ReadonlyMap<string, string>, root: string): Secret {
  const source = fields.get("src") ?? fields.get("source");
  const variable = fields.get("env") ??
    (fields.get("type") === "env" ? source ?? id : undefined) ??
    (source === undefined && Deno.env.has(id) ? id : undefined);
  if (variable !== undefined) {
    if (Deno.env.has(variable)) return { id, env: variable };
    throw new Fault(`The secret "${id}" is not there: ${variable} is not set`, {
      next: `set ${variable} in the environment`,
    });
  }
  const path = source ?? id;
  const file = path.startsWith("/") ? path : `${root}/${path}`;
  if (isFile(file)) return { id, file };
  throw new Fault(`The secret "${id}" is not there: there is no file ${path}`, {
    next: "create the file, or correct `secrets` in images.ts",
  });
}

/** A function that takes these secrets' values out of lines. */
export function redactor(secrets: readonly Secret[]): Redactor {
  const words = new Set<string>();
  for (const secret of secrets) {
    const value = "env" in secret ? Deno.env.get(secret.env) ?? "" : contentOf(secret.file);
    const whole = value.trim();
    if (whole.length >= SHORTEST_VALUE && !whole.includes("\n")) words.add(whole);
    for (const line of whole.split("\n").map((each) => each.trim())) {
      if (line.length >= SHORTEST_LINE) words.add(line);
    }
  }
  // The longest first, so that one that holds another goes as a whole.
  const sorted = [...words].sort((a, b) => b.length - a.length);
  return (line) => sorted.reduce((text, word) => text.replaceAll(word, MASK), line);
}

function contentOf(file: string): string {
  return Deno.statSync(file).size > LARGEST ? "" : readRegularText(file);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
