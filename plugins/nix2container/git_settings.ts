/** Settings of git under which the files of a commit can be others than those of its work tree. */

import { mentions } from "./mentions.ts";

/** Attributes with which a file is stored or exported otherwise than it lies in the work tree. */
const ATTRIBUTES =
  /\s(?:export-subst|export-ignore|text|crlf|eol|ident|filter|working-tree-encoding)\b/;

/** Settings that convert files, or let git overlook that one has changed. */
const CONFIG =
  /\b(?:autocrlf|attributesfile|ignorestat|checkstat|trustctime|symlinks)\b|\b(?:eol|worktree)\s*=|\bfilemode\s*=\s*(?!\s|true)|\[include/i;

/** Variables that name another index or work tree than those of the folder. */
const PLACES = ["GIT_INDEX_FILE", "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR"];

/** Variables that hold settings of git. */
const SETTINGS = ["GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"];

/** Variables that git reads when Nix starts it. */
export const GIT_ENVIRONMENT: readonly string[] = [
  ...PLACES,
  ...SETTINGS,
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_ATTR_NOSYSTEM",
  "GIT_CEILING_DIRECTORIES",
];

/** Whether attributes in this file make other files of a commit. */
export function convertsByAttributes(path: string): boolean {
  return mentions(path, ATTRIBUTES);
}

/** Whether settings in this file make other files of a commit. */
export function convertsByConfig(path: string): boolean {
  return mentions(path, CONFIG);
}

/** Absolute paths of the user's and the system's settings and attributes of git. */
export function userGitFiles(): readonly string[] {
  const { configs, attributes } = userFiles();
  return [...configs, ...attributes];
}

/** Whether settings from outside of the repository make other files of a commit. */
export function userConverts(): boolean {
  const { configs, attributes } = userFiles();
  return SETTINGS.some((name) => Deno.env.has(name)) || configs.some(convertsByConfig) ||
    attributes.some(convertsByAttributes);
}

/** Whether the environment names another index or work tree than a repository's own. */
export function readsElsewhere(): boolean {
  return PLACES.some((name) => Deno.env.has(name));
}

function userFiles(): { readonly configs: readonly string[]; readonly attributes: string[] } {
  const home = Deno.env.get("HOME") ?? "/root";
  const folder = `${Deno.env.get("XDG_CONFIG_HOME") || `${home}/.config`}/git`;
  const named = Deno.env.get("GIT_CONFIG_GLOBAL");
  return {
    configs: [
      Deno.env.get("GIT_CONFIG_SYSTEM") ?? "/etc/gitconfig",
      ...(named === undefined ? [`${home}/.gitconfig`, `${folder}/config`] : [named]),
    ],
    attributes: ["/etc/gitattributes", `${folder}/attributes`],
  };
}
