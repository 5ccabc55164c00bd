/** `images report`: one page about the last run that did something. */

import { usageFault } from "../lib/model/errors.ts";
import { readLastRun } from "../lib/report/last_run.ts";
import { writeNamed } from "../lib/store/named_file.ts";
import { State } from "../lib/store/state.ts";
import type { CommonOptions } from "./options.ts";
import { openProject, printJson } from "./run.ts";
import { print, refuseMixing } from "./print.ts";

/** Options of `report`. */
export interface ReportOptions extends CommonOptions {
  readonly to?: string;
  readonly open?: boolean | undefined;
}

/** Writes the page and prints its path; answers with the exit status. */
export async function report(options: ReportOptions): Promise<number> {
  const { root } = await openProject(options);
  const state = State.of(root);
  const record = readLastRun(state);
  if (record === undefined) {
    throw usageFault("No run is kept that could be reported", {
      where: state.folder,
      next: "run `images build` or `images push` first",
    });
  }
  const { gather } = await import("../lib/report/page/data.ts");
  const { renderPage } = await import("../lib/report/page/page.ts");
  const path = pathOf(options, state);
  refuseMixing(path, options);
  const page = await renderPage(await gather(root, state, record));
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true });
  await writeNamed(path, [new TextEncoder().encode(page)]);
  if (options.json) {
    printJson(options, { schema: 1, command: "report", ok: true, path, run: record });
  } else print(path);
  if (options.open) (await import("../lib/process/open_file.ts")).openFile(path);
  return 0;
}

function pathOf({ to }: ReportOptions, state: State): string {
  if (to === undefined) return state.path("report.html");
  return to.startsWith("/") ? to : `${Deno.cwd()}/${to}`;
}
