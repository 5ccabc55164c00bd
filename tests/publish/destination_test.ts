import { assertEquals, assertThrows } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import type { Image, Registry } from "../../lib/model/recipe.ts";
import {
  chooseDestination,
  isAllowed,
  repositoryIn,
} from "../../lib/registry/publish/destination.ts";

function registryAt(host: string, prefix = "team"): Registry {
  return {
    host,
    prefix,
    visibility: "private",
    compression: "gzip",
    insecure: false,
    trustPullRequests: false,
  };
}

const BOTH = new Map([
  ["upstream", registryAt("ghcr.io")],
  ["overlay", registryAt("registry.gitlab.com")],
]);

Deno.test("chooseDestination() takes the first rule that applies", () => {
  const github = { GITHUB_ACTIONS: "true" };
  const gitlab = { GITLAB_CI: "true" };
  const own = { GITLAB_CI: "true", CI_REGISTRY: "registry.example.com:5050" };
  const with3 = new Map([...BOTH, ["own", registryAt("registry.example.com:5050")]]);
  const one = new Map([["only", registryAt("registry.example.com")]]);
  const chosen = (...args: Parameters<typeof chooseDestination>) => chooseDestination(...args).name;
  assertEquals(chosen(BOTH, "overlay", { ...github, IMAGES_CONTEXT: "upstream" }), "overlay");
  assertEquals(chosen(BOTH, undefined, { ...github, IMAGES_CONTEXT: "overlay" }), "overlay");
  assertEquals(chosen(BOTH, undefined, github), "upstream");
  assertEquals(chosen(BOTH, undefined, gitlab), "overlay");
  assertEquals(chosen(with3, undefined, own), "own");
  assertEquals(chosen(one, undefined, github), "only");
  assertEquals(chosen(one, undefined, {}), "only");
});

Deno.test("chooseDestination() lists what is declared where nothing can be chosen", () => {
  const listed = /upstream \(ghcr\.io\/team\), overlay \(registry\.gitlab\.com\/team\)/;
  const refused = (run: () => unknown, message: RegExp) => {
    const { message: said, next, exitStatus } = assertThrows(run, Fault);
    assertEquals([message.test(said), listed.test(next ?? ""), exitStatus], [true, true, 2]);
  };
  refused(() => chooseDestination(BOTH, undefined, {}), /not clear/);
  refused(() => chooseDestination(BOTH, "elsewhere", {}), /--to names .*"elsewhere"/);
  refused(() => chooseDestination(BOTH, undefined, { IMAGES_CONTEXT: "x" }), /IMAGES_CONTEXT/);
  const twice = new Map([...BOTH, ["again", registryAt("ghcr.io", "other")]]);
  assertThrows(() => chooseDestination(twice, undefined, { GITHUB_ACTIONS: "true" }), Fault);
  assertThrows(() => chooseDestination(new Map(), undefined, {}), Fault, "not clear");
});

Deno.test("a repository is in lower case below the registry's path; `registries` restricts", () => {
  const image = { common: { repository: "Tools/App", registries: ["overlay"] } } as unknown;
  assertEquals(
    repositoryIn(registryAt("ghcr.io", "Your-Org"), image as Image),
    "your-org/tools/app",
  );
  assertEquals(repositoryIn(registryAt("localhost:5000", ""), image as Image), "tools/app");
  assertEquals(isAllowed(image as Image, "overlay"), true);
  assertEquals(isAllowed(image as Image, "upstream"), false);
});
