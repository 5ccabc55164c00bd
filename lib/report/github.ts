/**
 * What GitHub Actions makes of lines: groups, annotations, and a table in the job's summary.
 *
 * @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */

import { type Fault, type Place } from "../model/errors.ts";
import type { Subject } from "../model/events.ts";
import type { ResultDocument } from "../model/result.ts";
import { stepSummary } from "./github_summary.ts";
import type { Dialect } from "./lines.ts";

/** Speaks workflow commands. */
export class GithubDialect implements Dialect {
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(env: Readonly<Record<string, string | undefined>> = Deno.env.toObject()) {
    this.#env = env;
  }

  /** A group that is closed until somebody opens it. */
  fold(_id: Subject, title: string, lines: readonly string[]): readonly string[] {
    return [`::group::${title}`, ...this.quote(lines), "::endgroup::"];
  }

  /** Nothing between these two is taken for a command, as a token that nobody can know ends it. */
  quote(lines: readonly string[]): readonly string[] {
    const token = crypto.randomUUID();
    return [`::stop-commands::${token}`, ...lines, `::${token}::`];
  }

  /** An annotation in the file that is at fault. */
  failure(id: Subject, fault: Fault, place: Place | undefined): readonly string[] {
    return [annotation(fault, id, fault.place ?? place, this.#env.GITHUB_WORKSPACE)];
  }

  /** Adds a table to the job's summary. */
  ended(document: ResultDocument, closing: readonly string[]): void {
    const path = this.#env.GITHUB_STEP_SUMMARY;
    if (!path) return;
    Deno.writeTextFileSync(path, stepSummary(document, closing), { append: true, create: true });
  }
}

/** The command that annotates a file with a fault. */
export function annotation(
  fault: Fault,
  title: string | undefined,
  place: Place | undefined,
  workspace: string | undefined,
): string {
  const properties = [
    ...(place === undefined ? [] : [
      `file=${property(fromWorkspace(place.file, workspace))}`,
      `line=${place.line}`,
      `col=${place.column}`,
    ]),
    ...(title === undefined ? [] : [`title=${property(title)}`]),
  ].join(",");
  const where = fault.place === undefined && fault.where !== title ? fault.where : undefined;
  const message = [where, fault.message].filter(Boolean).join(": ");
  const next = fault.next === undefined ? "" : `\nnext: ${fault.next}`;
  return `::error${properties === "" ? "" : ` ${properties}`}::${data(`${message}${next}`)}`;
}

/** A path as GitHub knows it: relative to the checkout. */
function fromWorkspace(file: string, workspace: string | undefined): string {
  const path = file.startsWith("/") ? file : `${Deno.cwd()}/${file}`;
  if (workspace && path.startsWith(`${workspace}/`)) return path.slice(workspace.length + 1);
  return file;
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
