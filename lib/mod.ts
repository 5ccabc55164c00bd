/**
 * `images`: what images.ts is written with.
 *
 * @example
 * ```ts
 * import { define, registry } from "images";
 * import { files } from "images/plugins";
 *
 * export default define({
 *   registries: { upstream: registry("ghcr.io/your-org", { visibility: "public" }) },
 *   images: { docs: files({ layers: [{ from: "docs", to: "/srv" }] }) },
 * });
 * ```
 *
 * @module
 */

export { define, each, plugin, registry, task } from "./dsl/define.ts";
export { json, lockfile } from "./dsl/projections.ts";
export type { LockfileOptions } from "./dsl/projections.ts";
export type { PluginDefinition, RecipeConstructor } from "./dsl/define.ts";
export type { Kind, Shape, ValueFault } from "./dsl/shape.ts";
export type {
  CommonRecipeOptions,
  Definition,
  Groups,
  ImageReference,
  Members,
  Name,
  names,
  Recipe,
  RegistryDeclaration,
  RegistryOptions,
  TaskDeclaration,
  TaskOptions,
} from "./dsl/types.ts";
export type { Digest } from "./model/digest.ts";
export { Fault } from "./model/errors.ts";
export type { FaultKind, FaultOptions, Place } from "./model/errors.ts";
export type {
  BlobPlace,
  ExtendedAttribute,
  ImageSource,
  Layer,
  LayerMember,
  Listing,
  LocalImage,
  OpenableLayer,
  SpecialType,
} from "./model/image.ts";
export type { Json } from "./model/json.ts";
export type {
  ContainerConfig,
  Descriptor,
  Healthcheck,
  History,
  ImageConfig,
} from "./model/oci.ts";
export type { Platform } from "./model/platform.ts";
export { Discovered } from "./model/plugin.ts";
export { together } from "./model/together.ts";
export type { Answers, Concerning } from "./model/together.ts";
export type {
  BuildContext,
  BuildRequest,
  DescribeContext,
  Description,
  Guard,
  Identity,
  Mention,
  Overrides,
  Plugin,
  Progress,
  PublishContext,
  Publisher,
  PublishRequest,
  RemoteBase,
  RunOptions,
  RunResult,
  SourceKeyParts,
  ToolNeed,
} from "./model/plugin.ts";
export type { JsonProjection, LockfileProjection, Projection } from "./model/projection.ts";
export type {
  CommonOptions,
  Expectations,
  ExpectedFile,
  Image,
  PluginRef,
  Registry,
  TaskContext,
  TaskRun,
} from "./model/recipe.ts";
export type { Entry, Selection, Tree } from "./model/selection.ts";
export type { RemoteSource, SourceIdentity } from "./model/source.ts";
