/** Images of rules_img in BUILD files, read without Bazel. */

import { type Candidate, nameOf, withoutImage } from "./component.ts";
import { fileOf, folderOf, type Repository } from "./repository.ts";

const WORKSPACES = new Set(["WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel"]);

/** What was found, and what people should know of it. */
export interface BazelFindings {
  readonly candidates: readonly Candidate[];
  readonly notes: readonly string[];
}

/** The image targets of all packages, one for each component. */
export function bazelImages(repository: Repository): BazelFindings {
  const workspaces = repository.files.filter((path) => WORKSPACES.has(fileOf(path))).map(folderOf);
  const candidates: Candidate[] = [];
  const notes: string[] = [];
  for (const file of repository.files.filter((path) => /^BUILD(?:\.bazel)?$/.test(fileOf(path)))) {
    const folder = folderOf(file);
    const workspace = workspaces.filter((each) => isBelow(folder, each))
      .sort((a, b) => b.length - a.length)[0];
    if (workspace === undefined) continue;
    const text = repository.read(file).replace(/#.*$/gm, "");
    if (/\boci_image\s*\(/.test(text)) {
      notes.push(`${file}: oci_image is of rules_oci; rules_img's image_manifest is what is built`);
    }
    const bazelPackage = workspace === "." ? folder : folder.slice(workspace.length + 1);
    candidates.push(
      ...components(targetNames(text, "image_manifest"), targetNames(text, "image_index"))
        .map((target): Candidate => ({
          name: componentName(folder, target, repository),
          method: "rulesImg",
          options: {
            target: `//${bazelPackage === "." ? "" : bazelPackage}:${target}`,
            ...(workspace === "." ? {} : { workspace }),
          },
          source: file,
          folder,
          references: [],
          omitted: [],
          calls: [target],
        })),
    );
  }
  return { candidates, notes };
}

function isBelow(folder: string, above: string): boolean {
  return above === "." || folder === above || folder.startsWith(`${above}/`);
}

/** Images of one platform each, and the index over them, are one component. */
function components(manifests: readonly string[], indexes: readonly string[]): string[] {
  const own = manifests.filter((name) => {
    const plain = name.replace(ARCHITECTURE, "");
    return plain === name || !manifests.includes(plain);
  });
  return own.length > 0 ? own : [...indexes];
}

const ARCHITECTURE = /[._-](?:linux[._-])?(?:amd64|x86_64|arm64|aarch64|armv7|arm|s390x|ppc64le)$/;

/** `//app:image` is `app`; `//services:web_image` is `web`. */
function componentName(folder: string, target: string, { title }: Repository): string {
  const own = withoutImage(target.replace(ARCHITECTURE, ""));
  const above = folder === "." ? title : folder;
  const isGeneric = ["image", "index", "oci", "container"].includes(own);
  return nameOf(isGeneric ? above : own) ?? "image";
}

/** The names that calls of a rule are given, literally or by a list they are made in. */
function targetNames(text: string, rule: string): string[] {
  const names: string[] = [];
  for (const match of text.matchAll(new RegExp(`\\b${rule}\\s*\\(`, "g"))) {
    const end = endOfBracket(text, match.index + match[0].length - 1);
    const call = text.slice(match.index, Math.min(end, match.index + MOST_OF_CALL));
    const [, literal, variable] = /\bname\s*=\s*(?:"([^"]+)"(?!\s*[+%.])|(\w+))/.exec(call) ?? [];
    if (literal !== undefined) names.push(literal);
    else if (variable !== undefined) names.push(...loopValues(text.slice(end), variable));
  }
  return names;
}

/** Characters of a call, or of a list, in which something is looked for. */
const MOST_OF_CALL = 5_000;

/** The strings a variable takes in `for name, other in [("a", 1), ("b", 2)]`. */
function loopValues(rest: string, variable: string): string[] {
  const text = rest.slice(0, MOST_OF_CALL);
  const loop = /^[ \t\n]{0,40}for\s+([\w,\s()]+?)\s+in\s+(?=\[)/.exec(text);
  if (loop === null) return [];
  const position = loop[1]!.split(",").map((each) => each.replace(/[\s()]/g, "")).indexOf(variable);
  const list = text.slice(loop[0].length + 1, endOfBracket(text, loop[0].length) - 1);
  const rows = /^\s*[([]/.test(list)
    ? [...list.matchAll(/[([]([^()[\]]*)[)\]]/g)].map(([, row]) => row!.split(","))
    : list.split(",").map((each) => [each]);
  return rows.map((row) => /^\s*"([^"]+)"\s*$/.exec(row[position] ?? "")?.[1])
    .filter((each) => each !== undefined);
}

/** The place after the bracket that closes the one at `start`. */
function endOfBracket(text: string, start: number): number {
  let depth = 0;
  const last = Math.min(text.length, start + 10 * MOST_OF_CALL);
  for (let at = start; at < last; at++) {
    if (text[at] === '"') at = Math.max(at, text.indexOf('"', at + 1));
    else if ("([{".includes(text[at]!)) depth += 1;
    else if (")]}".includes(text[at]!) && --depth === 0) return at + 1;
  }
  return text.length;
}
