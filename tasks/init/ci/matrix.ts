/** The combinations of a matrix of jobs, as far as they are written out. */

import { isMapping, type Mapping, mapping, scalar } from "../yaml.ts";

/** Values of one job, dotted where they are in objects. */
export type Combination = Readonly<Record<string, string>>;

/** Most jobs that a matrix is expanded to. */
const MOST = 100;

/** GitHub's matrix: axes, `include`, `exclude`. */
export function matrixOf(matrix: unknown): Combination[] {
  const { include, exclude, ...axes } = mapping(matrix);
  let jobs: Mapping[] = [{}];
  for (const [name, values] of Object.entries(axes)) {
    if (!Array.isArray(values) || values.length === 0) continue;
    jobs = jobs.flatMap((job) => values.map((value) => ({ ...job, [name]: value }))).slice(0, MOST);
  }
  const excluded = Array.isArray(exclude) ? exclude.filter(isMapping) : [];
  jobs = jobs.filter((job) => !excluded.some((each) => agrees(job, each, Object.keys(each))));
  const names = Object.keys(axes);
  const base = names.length === 0 ? 0 : jobs.length;
  if (base === 0 && Array.isArray(include) && include.length > 0) jobs = [];
  for (const extra of Array.isArray(include) ? include.filter(isMapping).slice(0, MOST) : []) {
    const shared = names.filter((name) => name in extra);
    const fitting = jobs.slice(0, base).filter((job) => agrees(job, extra, shared));
    if (fitting.length === 0) jobs.push(extra);
    else jobs = jobs.map((job) => fitting.includes(job) ? { ...job, ...extra } : job);
  }
  return jobs.map((job) => flattened(job));
}

/** GitLab's `parallel: matrix`: a list of axes. */
export function parallelMatrixOf(parallel: unknown): Combination[] {
  const { matrix } = mapping(parallel);
  const entries = Array.isArray(matrix) ? matrix.filter(isMapping) : [];
  if (entries.length === 0) return [{}];
  return entries.flatMap((axes) =>
    matrixOf(
      Object.fromEntries(
        Object.entries(axes).map(([name, value]) => [name, Array.isArray(value) ? value : [value]]),
      ),
    )
  ).slice(0, MOST);
}

function agrees(job: Mapping, other: Mapping, names: readonly string[]): boolean {
  return names.every((name) => JSON.stringify(job[name]) === JSON.stringify(other[name]));
}

function flattened(value: Mapping, prefix = "", depth = 4): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]): [string, string][] => {
      const text = scalar(each);
      if (text !== undefined) return [[`${prefix}${name}`, text]];
      if (Array.isArray(each)) {
        const list = each.map(scalar).filter((item) => item !== undefined);
        return list.length === each.length ? [[`${prefix}${name}`, list.join(",")]] : [];
      }
      return isMapping(each) && depth > 0
        ? Object.entries(flattened(each, `${prefix}${name}.`, depth - 1))
        : [];
    }),
  );
}
