/** Names that must not compile: each `@ts-expect-error` is an assertion of the type check. */

import { assertEquals } from "@std/assert";
import { define, each, registry, task } from "images";
import { dockerfile, files, nix2container, rulesImg } from "images/plugins";
import type { Recipe } from "images";

const registries = {
  upstream: registry("ghcr.io/org"),
  overlay: registry("registry.gitlab.com/group"),
};

Deno.test("names that are declared compile", () => {
  const helper = (name: string): Recipe => files({ layers: [{ from: name, to: "/" }] });
  const runtime: string = "base";
  const definition = define({
    registries,
    tasks: {
      gen: task({ run: ["true"] }),
      more: task({ needs: ["gen"], run: ({ $ }) => $`true` }),
    },
    images: {
      base: files({ layers: [], registries: ["overlay"] }),
      nix: nix2container({ installable: ".#x", needs: ["gen", "base"] }),
      app: rulesImg({ target: "//app:image" }),
      top: files({ base: { image: "base" }, layers: [], needs: [runtime] }),
      ...each(
        ["one", "two"],
        (name) => dockerfile({ context: name, contexts: { b: { image: "base" } } }),
      ),
      helped: helper("x"),
      off: undefined,
    },
    groups: { web: ["one", "two", "top"], all: ["web", "gen"] },
  });
  assertEquals(typeof definition, "object");
});

/** Never run: only compiled. */
export function mustNotCompile(): void {
  const base = files({ layers: [] });
  // @ts-expect-error a misspelt need
  define({ images: { base, app: files({ layers: [], needs: ["bse"] }) } });
  // @ts-expect-error a misspelt image in a reference
  define({ images: { base, app: files({ layers: [], base: { image: "bse" } }) } });
  // @ts-expect-error a misspelt image in a named context
  define({ images: { base, app: dockerfile({ contexts: { x: { image: "bse" } } }) } });
  const gen = task({ run: ["x"] });
  // @ts-expect-error a task where an image must stand
  define({ tasks: { gen }, images: { app: files({ layers: [], base: { image: "gen" } }) } });
  // @ts-expect-error a misspelt registry
  define({ registries, images: { app: files({ layers: [], registries: ["upsteam"] }) } });
  // @ts-expect-error a misspelt group member
  define({ images: { base }, groups: { web: ["bse"] } });
  // @ts-expect-error an image among the needs of a task
  define({ tasks: { gen: task({ needs: ["base"], run: ["x"] }) }, images: { base } });
  // @ts-expect-error a misspelt top-level key
  define({ images: { base }, group: { web: ["base"] } });
  // @ts-expect-error a misspelt option
  dockerfile({ contxt: "app" });
  // @ts-expect-error an unknown word
  dockerfile({ engine: "podmn" });
  // @ts-expect-error a missing option
  files({ cmd: ["/x"] });
  // @ts-expect-error an option of another type
  files({ layers: [], cmd: "/x" });
  // @ts-expect-error an unknown visibility
  registry("ghcr.io/org", { visibility: "secret" });
  // @ts-expect-error a task without anything to run
  task({ inputs: ["src/**"] });
  // @ts-expect-error a misspelt expectation
  nix2container({ installable: ".#x", expect: { file: ["/bin/x"] } });
  // @ts-expect-error a missing target
  rulesImg({ workspace: "." });
}
