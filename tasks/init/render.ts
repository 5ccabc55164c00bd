/** What was found, as an images.ts. */

import type { Component } from "./component.ts";
import type { Publishing } from "./registries.ts";

/** The width that `deno fmt` keeps to. */
const WIDTH = 80;

const SOURCE_LABEL = "org.opencontainers.image.source";

/** The whole of an images.ts. */
export function renderProject(components: readonly Component[], publishing: Publishing): string {
  const { registries } = publishing;
  const methods = [...new Set(components.map(({ method }) => method))].sort();
  const names = methods.length === 0 ? ["files"] : methods;
  const core = registries.length === 0 ? "define" : "define, registry";
  const lines = [
    "/** The images of this repository. */",
    "",
    `import { ${core} } from "images";`,
    `import { ${names.join(", ")} } from "images/plugins";`,
    "",
    ...labelLines(publishing),
    "export default define({",
    ...(registries.length === 0 ? [] : [
      "  registries: {",
      ...registries.map(({ name, address }) => `    ${name}: registry(${quoted(address)}),`),
      "  },",
    ]),
    "  images: {",
    ...(components.length === 0 ? EXAMPLE : renderImages(components, publishing)),
    "  },",
    "});",
  ];
  return `${lines.join("\n")}\n`;
}

const EXAMPLE = [
  "    // The files of a folder, without any engine:",
  '    site: files({ layers: [{ from: "site", to: "/srv" }] }),',
];

function labelLines({ registries, source }: Publishing): string[] {
  if (!usesLabel({ registries, source })) return [];
  const member = `${quoted(SOURCE_LABEL)}: ${quoted(source!)}`;
  const line = `const labels = { ${member} };`;
  return [
    "/** GitHub links a package to its repository by this label. */",
    ...(line.length <= WIDTH ? [line] : ["const labels = {", `  ${member},`, "};"]),
    "",
  ];
}

function usesLabel({ registries, source }: Pick<Publishing, "registries"> & {
  readonly source?: string | undefined;
}): boolean {
  return source !== undefined && registries.some(({ address }) => address.startsWith("ghcr.io/"));
}

/** The members of `images`. */
export function renderImages(
  components: readonly Component[],
  publishing: Publishing,
): string[] {
  return components.flatMap((component) => {
    const { name, method, options, source, alternatives } = component;
    const members = Object.entries(options).map(([key, value]) => `${key}: ${literal(value)}`);
    if (publishing.project !== undefined) {
      members.push(`repository: ${quoted(`${publishing.project}/${name}`)}`);
    }
    if (usesLabel(publishing)) members.push("labels");
    return [
      `    // ${source}`,
      ...alternatives.map((other) =>
        `    // Also in ${other.source}: ${other.method}(${oneLine(other)})`
      ),
      ...call(`    ${key(name)}: ${method}(`, members),
    ];
  });
}

function oneLine({ options }: Pick<Component, "options">): string {
  const members = Object.entries(options).map(([key, value]) => `${key}: ${literal(value)}`);
  return members.length === 0 ? "" : `{ ${members.join(", ")} }`;
}

function call(head: string, members: readonly string[]): string[] {
  if (members.length === 0) return [`${head}),`];
  const line = `${head}{ ${members.join(", ")} }),`;
  if (line.length <= WIDTH) return [line];
  return [`${head}{`, ...members.map((member) => `      ${member},`), "    }),"];
}

function literal(value: string | Readonly<Record<string, string>>): string {
  if (typeof value === "string") return quoted(value);
  const members = Object.entries(value).map(([name, text]) => `${key(name)}: ${quoted(text)}`);
  return `{ ${members.join(", ")} }`;
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}

/** As `deno fmt` would have it: in single quotes where that spares escapes. */
function quoted(text: string): string {
  const double = JSON.stringify(text);
  return /^[^'\\]*"[^'\\]*$/.test(text) ? `'${text}'` : double;
}
