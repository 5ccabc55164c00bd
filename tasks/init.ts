/** `images init`: looks at a repository and writes its images.ts; never over what is there. */

import { loadProject } from "../lib/dsl/load.ts";
import type { Project } from "../lib/model/recipe.ts";
import { usageFault } from "../lib/model/errors.ts";
import type { Component } from "./init/component.ts";
import { configLines, missingLines } from "./init/config.ts";
import { lookThrough } from "./init/look.ts";
import type { FoundRegistry } from "./init/registries.ts";
import { renderImages, renderProject } from "./init/render.ts";
import { fileOf, openRepository, type Repository } from "./init/repository.ts";
import { type CommonOptions, errorPalette } from "./options.ts";
import { printJson } from "./run.ts";
import { keepForResults, print } from "./print.ts";
import { readRegularText } from "../lib/util/regular_file.ts";

/** What is to be added by hand to a file that is there already. */
interface Addition {
  readonly file: string;
  readonly text: string;
}

/** Writes what is missing, prints what is to be added; answers with the exit status. */
export async function init(options: CommonOptions): Promise<number> {
  const root = folderFor(options.file);
  const file = `${root}/${fileOf(options.file)}`;
  const repository = await openRepository(root);
  const { components, publishing, notes } = await lookThrough(repository);

  const written: string[] = [];
  const additions: Addition[] = [];
  if (isThere(file)) {
    keepForResults();
    const missing = undeclared(await loadProject(file), components);
    if (missing.length > 0) {
      additions.push({ file, text: renderImages(missing, publishing).join("\n") });
    }
  } else {
    const example = exampleOf(repository) ?? fileOf(file);
    writeNew(file, renderProject({ components, publishing, notes, example }));
    written.push(file);
  }
  const lines = configLines(root);
  const config = ["deno.json", "deno.jsonc"].map((name) => `${root}/${name}`).find(isThere);
  if (config === undefined) {
    writeNew(`${root}/deno.json`, `${JSON.stringify(lines, undefined, 2)}\n`);
    written.push(`${root}/deno.json`);
  } else {
    const missing = missingLines(readRegularText(config), lines);
    if (missing !== undefined) {
      additions.push({ file: config, text: JSON.stringify(missing, undefined, 2) });
    }
  }
  tell(options, { root, components, registries: publishing.registries, written, additions, notes });
  return 0;
}

/** Something small that is there and can be packed. */
function exampleOf({ files }: Repository): string | undefined {
  const folder = ["public", "site", "dist", "docs", "www", "static"].find((name) =>
    files.some((path) => path.startsWith(`${name}/`))
  );
  return folder ?? ["index.html", "README.md", "README"].find((name) => files.includes(name));
}

interface Outcome {
  readonly root: string;
  readonly components: readonly Component[];
  readonly registries: readonly FoundRegistry[];
  readonly written: readonly string[];
  readonly additions: readonly Addition[];
  readonly notes: readonly string[];
}

function folderFor(file: string): string {
  const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/")) || "/" : ".";
  try {
    return Deno.realPathSync(folder);
  } catch (cause) {
    throw usageFault(`There is no folder ${folder}`, {
      next: "make it first, or correct --file",
      cause,
    });
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function writeNew(path: string, text: string): void {
  Deno.writeTextFileSync(path, text, { createNew: true });
}

/** What the present images.ts declares neither by name nor under another one. */
function undeclared(project: Project, components: readonly Component[]): Component[] {
  const declared = [...project.images.values()].map(({ options }) => identity(options));
  return components.filter((component) =>
    !project.images.has(component.name) && !declared.includes(identity(component.options))
  );
}

/** What is built, whatever it is called. */
function identity(options: Readonly<Record<string, unknown>>): string {
  const { installable, target, workspace = ".", context = ".", file } = options;
  if (installable !== undefined) return `nix ${installable}`;
  if (typeof target === "string" && target.startsWith("//")) return `bazel ${workspace} ${target}`;
  return `docker ${context} ${file ?? `${context}/Dockerfile`} ${target ?? ""}`;
}

function tell(options: CommonOptions, outcome: Outcome): void {
  const { root, components, registries, written, additions, notes } = outcome;
  if (options.json) {
    printJson(options, {
      schema: 1,
      command: "init",
      ok: true,
      images: components.map(({ name, method, options, source, omitted, alternatives, fault }) => ({
        name,
        plugin: method === "rulesImg" ? "rules_img" : method,
        options,
        source,
        omitted,
        ...(fault === undefined ? {} : { fault }),
        alternatives: alternatives.map(({ method, source }) => ({ method, source })),
      })),
      registries,
      written,
      additions,
      notes,
    });
    return;
  }
  for (const { file, text } of additions) {
    print(`# Add to ${file}${file.endsWith(".ts") ? ", under `images`" : ""}:\n${text}\n`);
  }
  if (options.quiet) return;
  const palette = errorPalette(options);
  const width = Math.max(0, ...components.map(({ name }) => name.length));
  for (const { name, method, source, omitted, alternatives, fault } of components) {
    console.error(
      `${palette.name(name.padEnd(width))}  ${method.padEnd(12)}  ${palette.dim(source)}`,
    );
    const indent = " ".repeat(width + 2);
    if (fault !== undefined) console.error(`${indent}only a comment yet: ${fault}`);
    for (const each of omitted) console.error(`${indent}left out ${each}`);
    for (const other of alternatives) console.error(`${indent}not built as in ${other.source}`);
  }
  if (components.length === 0) console.error("no image was found");
  for (const { name, address, visibility } of registries) {
    console.error(`registry ${name}: ${address} (${visibility})`);
  }
  for (const note of notes) console.error(`${palette.notice("note:")} ${note}`);
  for (const path of written) console.error(`wrote ${path.slice(root.length + 1)}`);
  if (written.length === 0 && additions.length === 0) console.error("nothing to add");
  const config = additions.find(({ file }) => file.endsWith(".json") || file.endsWith(".jsonc"));
  console.error(
    config === undefined
      ? "next: look through images.ts, then run `deno task images plan`"
      : `next: add the lines above to ${
        config.file.slice(root.length + 1)
      }, then run \`deno task images plan\``,
  );
}
