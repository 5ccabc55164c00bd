/**
 * What GitLab's job log makes of lines: sections that are closed until somebody opens them.
 *
 * @see https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
 */

import type { Subject } from "../model/events.ts";
import type { Dialect } from "./lines.ts";

const CLEAR_LINE = "\x1b[0K";

/** Speaks section markers. */
export class GitlabDialect implements Dialect {
  readonly #seconds: () => number;
  #sections = 0;

  constructor(seconds: () => number = () => Math.floor(Date.now() / 1000)) {
    this.#seconds = seconds;
  }

  /** A closed section; GitLab shows how long it took. */
  fold(id: Subject, title: string, lines: readonly string[], ms: number): readonly string[] {
    this.#sections += 1;
    const name = `images_${this.#sections}_${id.replace(/[^A-Za-z0-9_.-]+/g, "-")}`;
    const now = this.#seconds();
    return [
      `${CLEAR_LINE}section_start:${
        now - Math.round(ms / 1000)
      }:${name}[collapsed=true]\r${CLEAR_LINE}${title}`,
      ...this.quote(lines),
      `${CLEAR_LINE}section_end:${now}:${name}\r${CLEAR_LINE}`,
    ];
  }

  /** A line that looks like a marker is told apart by a space that nobody sees. */
  quote(lines: readonly string[]): readonly string[] {
    return lines.map((line) => line.replace(/section_(start|end):/g, "section_\u200b$1:"));
  }
}
