/** The lines of deno.json by which a project finds `images`. */

import { relative } from "@std/path";
import { urlOf } from "../../lib/dsl/origin.ts";
import config from "../../deno.json" with { type: "json" };

/** Members of a deno.json. */
export interface ConfigLines {
  readonly imports: Readonly<Record<string, string>>;
  /** What the modules of `images` themselves import, for editors and `deno check`. */
  readonly scopes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly tasks: Readonly<Record<string, string>>;
  /**
   * Beside a package.json Deno looks for npm packages in node_modules alone, where ours are not.
   */
  readonly nodeModulesDir?: "none";
}

/** The lines for a project in this folder. */
export function configLines(root: string): ConfigLines {
  const own = decodeURIComponent(new URL("../../", import.meta.url).pathname);
  const home = placeOf(root, own);
  const address = home.startsWith("/") ? urlOf(home) : home;
  const scope: Record<string, string> = {};
  for (const [name, target] of Object.entries(config.imports)) {
    if (target.startsWith("npm:")) scope[name] = target;
    else if (target.startsWith("jsr:")) Object.assign(scope, standIn(name, address));
  }
  return {
    imports: {
      images: `${address}lib/mod.ts`,
      "images/plugins": `${address}plugins/mod.ts`,
    },
    scopes: { [address]: scope },
    tasks: {
      images: config.tasks.images.replace(
        MAIN,
        () => `--config=${word(`${home}deno.json`)} ${word(home + MAIN)}`,
      ),
    },
    ...(hasPackageJson(root) ? { nodeModulesDir: "none" } : {}),
  };
}

function hasPackageJson(root: string): boolean {
  try {
    return Deno.lstatSync(`${root}/package.json`).isFile;
  } catch {
    return false;
  }
}

/** What our own task runs, with options that others' tasks need as well. */
const MAIN = "tasks/main.ts";

/** A path as one word of a task's command. */
function word(path: string): string {
  return /^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'"'"'`)}'`;
}

/** Relative where it is in the project or beside it, so that it holds on other machines. */
function placeOf(root: string, own: string): string {
  const path = `${relative(root, own) || "."}/`;
  return /^(?:\.\.\/)?(?!\.\.)/.test(path) ? path.startsWith(".") ? path : `./${path}` : own;
}

/** The modules of a package under lib/jsr. */
function standIn(name: string, address: string): Record<string, string> {
  const folder = `lib/jsr/${name.slice(1).replace("/", "-")}`;
  const text = Deno.readTextFileSync(new URL(`../../${folder}/deno.json`, import.meta.url));
  const { exports } = JSON.parse(text) as { exports: string | Record<string, string> };
  const entries = typeof exports === "string" ? { ".": exports } : exports;
  return Object.fromEntries(
    Object.entries(entries).map(([entry, path]) => [
      `${name}${entry.slice(1)}`,
      `${address}${folder}/${path.slice(2)}`,
    ]),
  );
}

/** The lines that a deno.json has not yet; undefined where it has all. */
export function missingLines(text: string, lines: ConfigLines): Partial<ConfigLines> | undefined {
  const present = (member: string) => text.includes(`"${member}"`);
  const hasImports = present("images") && present("images/plugins");
  const tasks = text.indexOf('"tasks"');
  const hasTask = tasks >= 0 && text.indexOf('"images"', tasks) >= 0;
  if (hasImports && hasTask) return undefined;
  const { nodeModulesDir } = lines;
  const hasFolder = nodeModulesDir === undefined || present("nodeModulesDir");
  return {
    ...(hasImports ? {} : { imports: lines.imports, scopes: lines.scopes }),
    ...(hasTask ? {} : { tasks: lines.tasks }),
    ...(hasFolder ? {} : { nodeModulesDir }),
  };
}
