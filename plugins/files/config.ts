/** The config of an image made of files: the base's, with what the recipe says on top. */

import type { Digest } from "../../lib/model/digest.ts";
import type { LocalImage } from "../../lib/model/image.ts";
import type { ContainerConfig, History, ImageConfig } from "../../lib/model/oci.ts";
import { parsePlatform } from "../../lib/model/platform.ts";
import type { BuildContext } from "../../lib/model/plugin.ts";
import type { Image } from "../../lib/model/recipe.ts";
import type { FilesRecipe } from "./recipe.ts";

/** Puts the config together. */
export function imageConfig(
  image: Image,
  recipe: FilesRecipe,
  context: BuildContext,
  base: LocalImage | undefined,
  own: readonly Digest[],
): ImageConfig {
  const created = new Date(context.created * 1000).toISOString().replace(".000Z", "Z");
  const history: History[] = recipe.layers.map(({ to }) => ({
    created,
    created_by: `files ${to}`,
  }));
  if (own.length > history.length) history.push({ created, created_by: "files" });
  return {
    created,
    ...parsePlatform(context.platform),
    config: containerConfig(image, recipe, base?.config.config ?? {}),
    rootfs: { type: "layers", diff_ids: [...base?.config.rootfs.diff_ids ?? [], ...own] },
    history: [...base?.config.history ?? [], ...history],
  };
}

/** An entrypoint of its own resets the base's command, as in a Dockerfile. */
function containerConfig(
  image: Image,
  recipe: FilesRecipe,
  inherited: ContainerConfig,
): ContainerConfig {
  const { entrypoint, cmd, env, workdir, user, ports } = recipe;
  const { Cmd: inheritedCmd, ...rest } = inherited;
  const keptCmd = entrypoint === undefined ? inheritedCmd : undefined;
  const command = cmd ?? keptCmd;
  return {
    ...rest,
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
    ...(command === undefined ? {} : { Cmd: command }),
    ...(env === undefined ? {} : { Env: mergedEnv(inherited.Env ?? [], env) }),
    ...(workdir === undefined ? {} : { WorkingDir: workdir }),
    ...(user === undefined ? {} : { User: user }),
    ...(ports === undefined ? {} : { ExposedPorts: exposed(inherited.ExposedPorts, ports) }),
    Labels: { ...inherited.Labels, ...image.common.labels },
  };
}

/** Variables keep the place the base gave them; new ones follow by name. */
function mergedEnv(inherited: readonly string[], env: Readonly<Record<string, string>>): string[] {
  const own = new Map(Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1)));
  const kept = inherited.map((assignment) => {
    const name = assignment.split("=", 1)[0]!;
    const value = own.get(name);
    own.delete(name);
    return value === undefined ? assignment : `${name}=${value}`;
  });
  return [...kept, ...[...own].map(([name, value]) => `${name}=${value}`)];
}

function exposed(
  inherited: ContainerConfig["ExposedPorts"],
  ports: readonly (string | number)[],
): NonNullable<ContainerConfig["ExposedPorts"]> {
  const own = ports.map((port) => {
    const text = String(port);
    return [text.includes("/") ? text : `${text}/tcp`, {}] as const;
  });
  return { ...inherited, ...Object.fromEntries(own) };
}
