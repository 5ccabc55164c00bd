/** Artifacts of skaffold.yaml that are built from Dockerfiles. */

import type { Findings } from "./ci/findings.ts";
import { unknown } from "./partial.ts";
import { fileOf, folderOf, type Repository } from "./repository.ts";
import {
  assignments,
  isMapping,
  listOf,
  type Mapping,
  mapping,
  scalar,
  scalars,
  yamlDocuments,
} from "./yaml.ts";

/** Builders that are none of ours. */
const OTHERS = ["jib", "jibMaven", "jibGradle", "buildpacks", "custom", "ko", "bazel"];

/** Reads all skaffold files. */
export function readSkaffoldFiles({ files, read }: Repository, findings: Findings): void {
  for (
    const path of files.filter((each) => /^skaffold(?:[.-][\w-]+)?\.ya?ml$/.test(fileOf(each)))
  ) {
    const documents = yamlDocuments(read(path));
    if (documents === undefined) findings.notes.add(`${path}: it is no YAML, and was not read`);
    for (const { build } of documents ?? []) {
      const platforms = scalars(mapping(build).platforms);
      for (const artifact of listOf(mapping(build).artifacts).filter(isMapping)) {
        readArtifact(artifact, platforms, path, findings);
      }
    }
  }
}

function readArtifact(
  artifact: Mapping,
  platforms: readonly string[],
  source: string,
  findings: Findings,
): void {
  const image = scalar(artifact.image);
  const other = OTHERS.find((name) => artifact[name] !== undefined);
  if (image === undefined) return;
  if (other !== undefined) {
    findings.notes.add(`${source}: ${image} is built by ${other}, and was left out`);
    return;
  }
  const options = mapping(artifact.docker ?? artifact.kaniko);
  const secrets = [...listOf(options.secrets), ...listOf(options.secret)].filter(isMapping);
  const own = scalars(artifact.platforms);
  findings.add({
    source,
    trust: "skaffold",
    folder: folderOf(source),
    isFileInContext: true,
    context: scalar(artifact.context) ?? ".",
    file: scalar(options.dockerfile),
    target: scalar(options.target),
    network: scalar(options.network)?.toLowerCase(),
    args: [...requirements(artifact), ...assignments(options.buildArgs).map(withoutTemplates)],
    platforms: own.length > 0 ? own : platforms,
    secrets: secrets.flatMap(({ id, src, env }) => {
      const place = scalar(src) === undefined
        ? `env=${scalar(env) ?? scalar(id)}`
        : `src=${scalar(src)}`;
      return scalar(id) === undefined ? [] : [`id=${scalar(id)},${place}`];
    }),
    ssh: scalars(options.ssh),
    cacheFrom: scalars(options.cacheFrom),
    references: [image],
  });
}

/** Another artifact that a build argument names. */
function requirements(artifact: Mapping): string[] {
  return listOf(artifact.requires).filter(isMapping).flatMap(({ image, alias }) => {
    const name = scalar(image);
    return name === undefined ? [] : [`${scalar(alias) ?? name}=${name}`];
  });
}

/** Skaffold's templates are filled in when it builds. */
function withoutTemplates(text: string): string {
  let out = "";
  let at = 0;
  for (let start; (start = text.indexOf("{{", at)) >= 0;) {
    const end = text.indexOf("}}", start);
    if (end < 0) break;
    out += text.slice(at, start) + unknown(text.slice(start + 2, end));
    at = end + 2;
  }
  return out + text.slice(at);
}
