/** Images of a repository that others of it are built from. */

import { expandWord } from "../../plugins/dockerfile/syntax/expand.ts";
import type { Script } from "../../plugins/dockerfile/syntax/script.ts";
import type { Component, OptionValue } from "./component.ts";
import { isKnown } from "./partial.ts";
import { type ImageName, imageNameOf } from "./references.ts";
import { joined } from "./repository.ts";

type Contexts = Record<string, string | { readonly image: string }>;

/** Names images of the repository where Dockerfiles and contexts stand on them. */
export function linkBases(
  components: readonly Component[],
  scripts: ReadonlyMap<string, Script>,
): Component[] {
  const faults = new Map(components.flatMap((component): [string, string][] => {
    const script = scripts.get(fileOfComponent(component));
    const fault = script === undefined ? undefined : baseFault(script, component.options["args"]);
    return fault === undefined ? [] : [[component.name, fault]];
  }));
  const makers = components.flatMap((component) =>
    faults.has(component.name) ? [] : component.references.flatMap((reference) => {
      const name = imageNameOf(reference);
      return name === undefined ? [] : [{ name, component }];
    })
  );
  const needs = new Map<string, Set<string>>();
  const reaches = (from: string, to: string): boolean => {
    const seen = new Set<string>();
    const open = [from];
    for (let name; (name = open.pop()) !== undefined;) {
      if (name === to) return true;
      if (seen.has(name)) continue;
      seen.add(name);
      open.push(...needs.get(name) ?? []);
    }
    return false;
  };
  const linked = components.map((component) => {
    const script = scripts.get(fileOfComponent(component));
    if (component.method !== "dockerfile" || script === undefined) return component;
    const fault = faults.get(component.name);
    if (fault !== undefined) return { ...component, fault };
    const contexts: Contexts = { ...component.options["contexts"] as Contexts | undefined };
    const omitted = [...component.omitted];
    const need = (context: string, image: string) => {
      if (reaches(image, component.name)) {
        omitted.push(`contexts: ${context} is ${image}, which itself is built from this image`);
        return;
      }
      contexts[context] = { image };
      needs.set(component.name, (needs.get(component.name) ?? new Set()).add(image));
    };
    for (const [context, build] of Object.entries(component.builds ?? {})) {
      const buildable = components.filter(({ name }) => !faults.has(name));
      const other = calledBy(buildable, build, component);
      if (other !== undefined) need(context, other.name);
      else omitted.push(`contexts: ${context} is ${build}, which was not found`);
    }
    for (const base of basesOf(script, component.options["args"])) {
      if (contexts[base] !== undefined) continue;
      const other = makerOf(makers, base, component);
      if (other !== undefined) need(base, other.name);
    }
    return Object.keys(contexts).length === 0
      ? { ...component, omitted }
      : { ...component, omitted, options: { ...component.options, contexts } };
  });
  return withPlatforms(linked, needs);
}

/** The Dockerfile of a component. */
function fileOfComponent({ options }: Component): string {
  const { context = ".", file } = options;
  return typeof file === "string" ? file : joined(context as string, "Dockerfile");
}

/** What the same file, or else any other one, calls so. */
function calledBy(
  components: readonly Component[],
  build: string,
  user: Component,
): Component | undefined {
  const named = components.filter((other) => other !== user && other.calls?.includes(build));
  const sourceOf = ({ source }: Component) => source.slice(source.indexOf(", ") + 2);
  return named.find((other) => sourceOf(other) === sourceOf(user)) ?? named[0];
}

function makerOf(
  makers: readonly { readonly name: ImageName; readonly component: Component }[],
  base: string,
  user: Component,
): Component | undefined {
  const wanted = imageNameOf(base);
  if (wanted === undefined) return undefined;
  const sameName = makers.filter(({ name }) =>
    name.path === wanted.path && (name.host ?? "docker.io") === (wanted.host ?? "docker.io")
  );
  if (sameName.some(({ component }) => component.name === user.name)) return undefined;
  const exact = sameName.find(({ name }) => (name.tag ?? "latest") === (wanted.tag ?? "latest"));
  // A tag that only CI knows is that of the build; what has no owner may be anybody's.
  const loose = sameName.find(({ name }) => wanted.path.includes("/") && !isKnown(name.tag ?? ""));
  return (exact ?? loose)?.component;
}

/** Why an image has no base: FROM names an argument that nothing gives a value. */
function baseFault(script: Script, given: OptionValue | undefined): string | undefined {
  const expand = expansion(script, given);
  const from = script.stages.map(({ from }) => from.args[0] ?? "").find((text) =>
    expand(text) === ""
  );
  return from === undefined ? undefined : `FROM ${from} has no value: give it one in args`;
}

/** Puts arguments into the words of FROM. */
function expansion(script: Script, given: OptionValue | undefined): (text: string) => string {
  const values = new Map(Object.entries((given ?? {}) as Readonly<Record<string, string>>));
  const expand = (text: string) => {
    try {
      return expandWord(text, (name) => values.get(name), { escape: script.escape });
    } catch {
      return "";
    }
  };
  for (const { args } of script.globals) {
    for (const word of args) {
      const at = word.indexOf("=");
      const name = at < 0 ? word : word.slice(0, at);
      if (at >= 0 && !values.has(name)) values.set(name, expand(word.slice(at + 1)));
    }
  }
  return expand;
}

/** References of FROM and `COPY --from`, with arguments put in. */
function basesOf(script: Script, given: OptionValue | undefined): string[] {
  const expand = expansion(script, given);
  const stages = new Set(script.stages.flatMap(({ name }) => name ?? []));
  const names = script.stages.flatMap(({ from, instructions }) => [
    expand(from.args[0] ?? ""),
    ...instructions.flatMap(({ keyword, options }) =>
      keyword === "COPY" ? options["from"] ?? [] : []
    ),
    ...instructions.flatMap(({ keyword, options }) =>
      keyword === "RUN" ? (options["mount"] ?? []).flatMap(mountSource) : []
    ),
  ]);
  return [...new Set(names)].filter((name) =>
    name !== "" && name !== "scratch" && !stages.has(name.toLowerCase()) && !/^\d+$/.test(name)
  );
}

function mountSource(mount: string): string[] {
  return mount.split(",").filter((part) => part.startsWith("from=")).map((part) => part.slice(5));
}

/** What others need for a platform is made for it too. */
function withPlatforms(
  components: readonly Component[],
  needs: ReadonlyMap<string, ReadonlySet<string>>,
): Component[] {
  const wanted = new Map<string, Set<string>>();
  const of = ({ options }: Component) => (options["platforms"] ?? []) as readonly string[];
  const byName = new Map(components.map((component) => [component.name, component]));
  const visit = (name: string, platforms: readonly string[]) => {
    for (const need of needs.get(name) ?? []) {
      const known = wanted.get(need) ?? new Set();
      const added = platforms.filter((platform) => !known.has(platform));
      if (added.length === 0) continue;
      wanted.set(need, new Set([...known, ...added]));
      visit(need, [...of(byName.get(need)!), ...platforms]);
    }
  };
  for (const component of components) visit(component.name, of(component));
  return components.map((component) => {
    const all = [...new Set([...of(component), ...wanted.get(component.name) ?? []])];
    if (all.length === of(component).length || component.method !== "dockerfile") return component;
    return { ...component, options: { ...component.options, platforms: all } };
  });
}
