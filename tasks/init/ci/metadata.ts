/** References that docker/metadata-action makes of its inputs. */

import { splitAt } from "../shell.ts";
import { itemsOf, linesOf } from "../yaml.ts";

/** Tags where the action is given none: by branch and by tag of git. */
const DEFAULT_TAGS = ["type=ref,event=branch", "type=ref,event=tag"];

/** `IMAGE:TAG` for each image and tag. */
export function metadataReferences(images: string | undefined, tags: string | undefined): string[] {
  const names = linesOf(images).flatMap((line) => {
    const parts = line.split(",").map((part) => part.trim());
    if (parts.includes("enable=false")) return [];
    return parts.flatMap((part) =>
      part.startsWith("name=") ? [part.slice(5)] : part.includes("=") || part === "" ? [] : [part]
    );
  });
  const rules = linesOf(tags);
  const made = [...new Set((rules.length === 0 ? DEFAULT_TAGS : rules).flatMap(tagOf))];
  return names.flatMap((name) => made.map((tag) => `${name}:${tag}`));
}

/** A rule as a tag; `{branch}` and its like are those of `tags` in images.ts. */
function tagOf(rule: string): string[] {
  const values = new Map(itemsOf(rule).map((item) => splitAt(item, "=")));
  if (values.get("enable") === "false") return [];
  const wrapped = (tag: string) =>
    `${values.get("prefix") ?? ""}${tag}${values.get("suffix") ?? ""}`;
  switch (values.get("type")) {
    case "raw":
      return [wrapped(values.get("value") ?? "")];
    case undefined:
      return rule.includes("=") ? [] : [rule];
    case "sha":
      return [`${values.get("prefix") ?? "sha-"}{revision}${values.get("suffix") ?? ""}`];
    case "ref":
    case "edge":
      return values.get("event") === "pr"
        ? []
        : [wrapped(values.get("event") === "tag" ? "{git-tag}" : "{branch}")];
    case "semver":
    case "pep440":
    case "match":
      return [wrapped("{git-tag}")];
    default:
      return [];
  }
}
