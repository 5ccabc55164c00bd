/** `images watch`: builds again whenever something changes that counts. */

import { localModules } from "../lib/dsl/modules.ts";
import { foldersOnTheWay, wayTo } from "../lib/files/way.ts";
import { exists, State } from "../lib/store/state.ts";
import type { BuildOptions } from "./build.ts";
import { listenForInterrupts } from "./run.ts";
import { Builder } from "./watch/builder.ts";
import { foldersBelow, WatchedFolders } from "./watch/folders.ts";
import { waiting } from "./watch/screen.ts";

/** Builds the targets again and again until it is interrupted; answers with the exit status. */
export async function watch(options: BuildOptions, targets: readonly string[]): Promise<number> {
  const file = absolutePath(options.file);
  const root = file.slice(0, file.lastIndexOf("/"));
  // A round that told of itself would be the reason for the next.
  const folders = new WatchedFolders([State.of(root).folder, ...ownOutputs()]);
  // What is broken keeps nothing else from being built.
  const builder = new Builder({ keepGoing: true, ...options }, targets);
  const interrupt = listenForInterrupts(() => builder.kill());
  interrupt.signal.addEventListener("abort", () => builder.stop());
  try {
    let changed: readonly string[] = [];
    let show = true;
    let told = false;
    while (!interrupt.signal.aborted) {
      const modules = localModules(file);
      const names = changed.filter(exists).map((path) => shown(root, path));
      const round = await builder.round(modules, names, show);
      if (interrupt.signal.aborted) break;
      const own = [file, ...modules].flatMap((path) => [
        path.slice(0, path.lastIndexOf("/")),
        ...foldersOnTheWay(wayTo("/", path)),
      ]);
      // What failed may not have come to look at the file that would mend it.
      const anywhere = round.status === 0 ? [] : foldersBelow(root);
      const moved = folders.watch([...own, ...round.folders, ...anywhere]);
      told ||= round.shown;
      show = false;
      changed = [];
      // What changed between being read and being watched was missed.
      if (moved) continue;
      if (told) waiting(options, folders.size);
      told = false;
      changed = await folders.changes(interrupt.signal);
      show = round.status !== 0;
    }
    return 130;
  } finally {
    interrupt.close();
    folders.close();
    builder.close();
  }
}

/** The real path of a file that may not be there yet. */
function absolutePath(file: string): string {
  try {
    return Deno.realPathSync(file);
  } catch {
    return file.startsWith("/") ? file : `${Deno.cwd()}/${file}`;
  }
}

/** Paths of the files that our own output goes to. */
function ownOutputs(): string[] {
  return ["/dev/stdout", "/dev/stderr"].flatMap((output) => {
    try {
      return Deno.statSync(output).isFile ? [Deno.realPathSync(output)] : [];
    } catch {
      return [];
    }
  });
}

function shown(root: string, path: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
