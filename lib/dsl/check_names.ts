/** Names that refer to each other: known ones, of the right kind, without cycles or collisions. */

import type { Project } from "../model/recipe.ts";
import type { Defined, WrittenRecipe, WrittenTask } from "./define.ts";
import type { Findings } from "./findings.ts";
import type { Origin } from "./origin.ts";
import { adviceFor } from "./suggest.ts";

type Parts = Pick<Project, "registries" | "tasks" | "images" | "groups">;

/** Where the parts were written. */
interface Written {
  readonly tasks: ReadonlyMap<string, WrittenTask>;
  readonly images: ReadonlyMap<string, WrittenRecipe>;
}

/** Checks every name that refers to another. */
export function checkNames(
  findings: Findings,
  defined: Defined,
  parts: Parts,
  written: Written,
): void {
  checkOneNamespace(findings, defined, parts);
  checkTaskNeeds(findings, parts, written);
  checkImageNames(findings, parts, written);
  checkGroups(findings, defined, parts);
  checkRepositories(findings, parts, written);
  findings.throwIfAny();
  checkCycles(findings, parts, written);
}

function checkOneNamespace(findings: Findings, defined: Defined, parts: Parts): void {
  const owners = new Map<string, string>();
  for (const table of ["images", "tasks", "groups"] as const) {
    for (const name of parts[table].keys()) {
      const other = owners.get(name);
      if (other !== undefined) {
        const message = `"${name}" is in ${other} and in ${table}; they share one namespace`;
        findings.add(message, defined.origin, { keys: [table, name] }, "rename one of them");
      }
      owners.set(name, table);
    }
  }
}

function checkTaskNeeds(findings: Findings, parts: Parts, written: Written): void {
  const known = [...parts.tasks.keys()];
  for (const { name, needs } of parts.tasks.values()) {
    for (const need of needs) {
      if (parts.tasks.has(need)) continue;
      const isImage = parts.images.has(need);
      const message = isImage
        ? `Task "${name}" needs "${need}", which is an image; tasks need tasks only`
        : `Task "${name}" needs "${need}", which is not declared`;
      const { origin } = written.tasks.get(name)!;
      findings.add(
        message,
        origin,
        { keys: ["needs"], word: need },
        adviceFor(need, known, "a task"),
      );
    }
  }
}

function checkImageNames(findings: Findings, parts: Parts, written: Written): void {
  const images = [...parts.images.keys()];
  const known = [...images, ...parts.tasks.keys()];
  const registries = [...parts.registries.keys()];
  for (const { name, common, references } of parts.images.values()) {
    const { origin } = written.images.get(name)!;
    for (const need of common.needs) {
      if (parts.images.has(need) || parts.tasks.has(need)) continue;
      const message = `Image "${name}" needs "${need}", which is not declared`;
      findings.add(
        message,
        origin,
        { keys: ["needs"], word: need },
        adviceFor(need, known, "an image or task"),
      );
    }
    for (const reference of references) {
      if (parts.images.has(reference)) continue;
      const message = parts.tasks.has(reference)
        ? `Image "${name}" refers to "${reference}", which is a task; an image must stand here`
        : `Image "${name}" refers to the image "${reference}", which is not declared`;
      findings.add(
        message,
        origin,
        { keys: ["image"], word: reference },
        adviceFor(reference, images, "an image"),
      );
    }
    for (const registry of common.registries ?? []) {
      if (parts.registries.has(registry)) continue;
      const message = `Image "${name}" names the registry "${registry}", which is not declared`;
      findings.add(
        message,
        origin,
        { keys: ["registries"], word: registry },
        adviceFor(registry, registries, "a registry"),
      );
    }
  }
}

function checkGroups(findings: Findings, defined: Defined, parts: Parts): void {
  const known = [...parts.images.keys(), ...parts.tasks.keys(), ...parts.groups.keys()];
  for (const [name, members] of parts.groups) {
    for (const member of members) {
      if (known.includes(member)) continue;
      const pointer = { keys: ["groups", name], word: member };
      const message = `Group "${name}" has the member "${member}", which is not declared`;
      findings.add(message, defined.origin, pointer, adviceFor(member, known, "it"));
    }
  }
  const cycle = findCycle(
    parts.groups.keys(),
    (name) => (parts.groups.get(name) ?? []).filter((member) => parts.groups.has(member)),
  );
  if (cycle === undefined) return;
  const message = `Groups are members of each other: ${cycle.join(" → ")}`;
  const pointer = {
    keys: ["groups", cycle[0]!],
    ...(cycle[1] === undefined ? {} : { word: cycle[1] }),
  };
  findings.add(message, defined.origin, pointer, "take one of them out");
}

function checkRepositories(findings: Findings, parts: Parts, written: Written): void {
  const owners = new Map<string, string>();
  for (const { name, common: { repository } } of parts.images.values()) {
    const other = owners.get(repository);
    if (other !== undefined) {
      findings.add(
        `Images "${other}" and "${name}" have the same repository "${repository}"`,
        written.images.get(name)!.origin,
        { keys: ["repository"] },
        "give one of them another `repository`",
      );
    }
    owners.set(repository, name);
  }
}

function checkCycles(findings: Findings, parts: Parts, written: Written): void {
  const needs = (name: string): readonly string[] => {
    const image = parts.images.get(name);
    return image === undefined
      ? parts.tasks.get(name)?.needs ?? []
      : [...image.common.needs, ...image.references];
  };
  const cycle = findCycle([...parts.images.keys(), ...parts.tasks.keys()], needs);
  if (cycle === undefined) return;
  const [first = "", second = ""] = cycle;
  const origin: Origin = (written.images.get(first) ?? written.tasks.get(first))!.origin;
  const key = parts.images.get(first)?.references.includes(second) ? "image" : "needs";
  const message = first === second
    ? `"${first}" needs itself`
    : `These need each other: ${cycle.join(" → ")}`;
  findings.add(message, origin, { keys: [key], word: second }, "take one of these needs out");
}

/** The first cycle there is, its first node again at its end. */
function findCycle(
  names: Iterable<string>,
  next: (name: string) => readonly string[],
): string[] | undefined {
  const done = new Set<string>();
  for (const start of names) {
    // Most images need nothing, and there may be thousands of them.
    if (done.has(start) || next(start).length === 0) continue;
    const path: { readonly name: string; readonly rest: string[] }[] = [];
    const enter = (name: string) => path.push({ name, rest: [...next(name)] });
    enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const following = top.rest.shift();
      if (following === undefined) {
        done.add(top.name);
        path.pop();
        continue;
      }
      const at = path.findIndex(({ name }) => name === following);
      if (at >= 0) return [...path.slice(at).map(({ name }) => name), following];
      if (!done.has(following)) enter(following);
    }
  }
  return undefined;
}
