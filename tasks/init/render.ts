/** What was found, as an images.ts. */

import type { Component } from "./component.ts";
import { registryLines, SOURCE_LABEL, usesLabel } from "./render_registries.ts";
import { comment, hung, key, literal, member, quoted, recipe, WIDTH } from "./source_text.ts";
import { type Publishing, repositoriesOf } from "./registries.ts";

/** What an images.ts says. */
export interface Draft {
  readonly components: readonly Component[];
  readonly publishing: Publishing;
  /** What was left out, and why. */
  readonly notes: readonly string[];
  /** A file or folder that the example packs where nothing was found. */
  readonly example: string;
}

/** The whole of an images.ts. */
export function renderProject({ components, publishing, notes, example }: Draft): string {
  const { registries } = publishing;
  const buildable = components.filter(({ fault }) => fault === undefined);
  const methods = [...new Set(buildable.map(({ method }) => method))].sort();
  const names = methods.length === 0 ? ["files"] : methods;
  const core = registries.length === 0 ? "define" : "define, registry";
  const lines = [
    "/** The images of this repository. */",
    "",
    `import { ${core} } from "images";`,
    `import { ${names.join(", ")} } from "images/plugins";`,
    "",
    ...(buildable.length === 0 ? [] : labelLines(publishing)),
    "export default define({",
    ...(registries.length === 0
      ? []
      : ["  registries: {", ...registries.flatMap(registryLines), "  },"]),
    "  images: {",
    ...(buildable.length === 0 ? exampleLines(example) : []),
    ...renderImages(components, publishing),
    ...notes.map(comment),
    "  },",
    "});",
  ];
  return `${lines.join("\n")}\n`;
}

function exampleLines(example: string): string[] {
  const to = example.includes(".") ? `/srv/${example}` : "/srv";
  const layers = `layers: [{ from: ${quoted(example)}, to: ${quoted(to)} }]`;
  return [
    "    // Files of this repository, packed without any engine:",
    ...recipe("    site: files(", [[layers]]),
  ];
}

function labelLines(publishing: Publishing): string[] {
  if (!usesLabel(publishing)) return [];
  const member = `${quoted(SOURCE_LABEL)}: ${quoted(publishing.source!)}`;
  const line = `const labels = { ${member} };`;
  return [
    "/** GitHub links a package to its repository by this label. */",
    ...(line.length <= WIDTH ? [line] : ["const labels = {", ...hung(`  ${member},`), "};"]),
    "",
  ];
}

/** The members of `images`. */
export function renderImages(
  components: readonly Component[],
  publishing: Publishing,
): string[] {
  const repositories = repositoriesOf(components, publishing);
  return components.flatMap((component) => {
    const { name, method, options, source, alternatives, omitted, fault } = component;
    const { labels, ...others } = options;
    const members = Object.entries(others).map(([key, value]) => member(key, value));
    const repository = repositories.get(name);
    if (repository !== undefined) members.push([`repository: ${quoted(repository)}`]);
    members.push(...labelMember(labels as Record<string, string> | undefined, publishing));
    const written = [
      comment(source),
      ...omitted.map((each) => comment(`Left out: ${each}`)),
      ...alternatives.map((other) =>
        comment(`Also in ${other.source}: ${other.method}(${oneLine(other)})`)
      ),
    ];
    const lines = recipe(`    ${key(name)}: ${method}(`, members).flatMap(hung);
    if (fault === undefined) return [...written, ...lines];
    return [...written, comment(fault), ...lines.map((line) => `    // ${line.slice(4)}`)];
  });
}

function labelMember(
  labels: Readonly<Record<string, string>> | undefined,
  publishing: Publishing,
): string[][] {
  if (labels === undefined) return usesLabel(publishing) ? [["labels"]] : [];
  if (!usesLabel(publishing)) return [member("labels", labels)];
  const members = Object.entries(labels).map(([name, text]) => `${key(name)}: ${quoted(text)}`);
  return [["labels: {", ...["...labels", ...members].map((each) => `  ${each},`), "}"]];
}

function oneLine({ options }: Pick<Component, "options">): string {
  const members = Object.entries(options).map(([key, value]) => `${key}: ${literal(value)}`);
  return members.length === 0 ? "" : `{ ${members.join(", ")} }`;
}
