/** The shapes of everything that is no plugin's own: common options, expectations, tasks, registries. */

import { isPlatform } from "../model/platform.ts";
import { inputs } from "./projections.ts";
import {
  count,
  custom,
  flag,
  globs,
  isObject,
  mode,
  oneOf,
  path,
  required,
  seconds,
  type Shape,
  table,
  text,
  textMap,
  texts,
} from "./shape.ts";

const EXPECTED_FILE: Shape = { path: required(text), executable: flag, mode };

/** Members of `expect`. */
const EXPECT: Shape = {
  files: custom(
    "a list of paths, or of objects with a path",
    (value) =>
      Array.isArray(value) &&
      value.every((each) => typeof each === "string" || (isObject(each) && isExpectedFile(each))),
  ),
  absent: texts,
  entrypoint: texts,
  cmd: texts,
  env: textMap,
  user: text,
  labels: textMap,
  maxSize: custom(
    'a number of bytes, or a text such as "120MB"',
    (value) =>
      (typeof value === "number" && value > 0) ||
      (typeof value === "string" && /^\s*\d+(\.\d+)?\s*([KMG]i?)?B?\s*$/i.test(value)),
  ),
  maxLayers: count,
};

function isExpectedFile(value: Record<string, unknown>): boolean {
  return Object.entries(value).every(([name, member]) => EXPECTED_FILE[name]?.accepts(member)) &&
    typeof value.path === "string";
}

/** Options of every recipe. */
export const COMMON: Shape = {
  needs: texts,
  inputs,
  hostEnv: texts,
  platforms: custom(
    'a list of platforms such as "linux/amd64"',
    (value) =>
      Array.isArray(value) && value.length > 0 &&
      value.every((each) => typeof each === "string" && isPlatform(each)),
  ),
  registries: texts,
  repository: text,
  tags: texts,
  labels: textMap,
  annotations: textMap,
  created: count,
  expect: table(EXPECT),
  timeout: seconds,
};

/** Options of `task()`. */
export const TASK: Shape = {
  inputs,
  outputs: globs,
  needs: texts,
  hostEnv: texts,
  cwd: path,
  timeout: seconds,
  run: required(custom(
    "a command line as a list of strings, or a function",
    (value) =>
      typeof value === "function" ||
      (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string")),
  )),
};

/** Options of `registry()`. */
export const REGISTRY: Shape = {
  visibility: oneOf(["public", "private"]),
  compression: oneOf(["gzip", "zstd", "none"]),
  insecure: flag,
  trustPullRequests: flag,
};

/** What `define()` takes. */
export const DEFINITION: Shape = {
  registries: custom("an object of registries", isObject),
  tasks: custom("an object of tasks", isObject),
  images: required(custom("an object of images", isObject)),
  groups: custom("an object of lists of names", isObject),
  gitAnnotations: flag,
};
