import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { parseImageJson } from "../../plugins/nix2container/image_json.ts";
import { servedConfig } from "../../plugins/nix2container/served.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;
const LAYER = { digest: DIGEST, size: 1, diff_ids: DIGEST, paths: [{ path: "/nix/store/x" }] };

function parse(image: object) {
  return parseImageJson(JSON.stringify({ version: 1, layers: [], ...image }), "image.json");
}

function configOf(image: object, labels: Record<string, string> = {}) {
  return JSON.parse(new TextDecoder().decode(servedConfig(parse(image), { labels }))).config;
}

Deno.test("keys match in any case, null takes away, and unknown keys are left out", () => {
  assertEquals(
    configOf({
      "image-config": {
        user: "a",
        User: null,
        "u\u017fer": "b",
        entrypoint: ["x"],
        Cmd: ["y"],
        cmd: null,
        Env: [null, "\ud800"],
        exposedports: { "80/tcp": {} },
        Healthcheck: { Test: ["NONE"] },
        MemorySwap: 1,
      },
    }),
    { User: "b", Env: ["", "\ufffd"], Entrypoint: ["x"], ExposedPorts: { "80/tcp": {} } },
  );
});

Deno.test("times keep their offset, and lose what Go does not write", () => {
  const cases: [string, string][] = [
    ["2020-01-01T00:00:00.120-08:00", "2020-01-01T00:00:00.12-08:00"],
    ["2020-01-01T00:00:00.000+00:00", "2020-01-01T00:00:00Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"],
  ];
  for (const [created, written] of cases) assertEquals(parse({ created }).created, written);
  for (
    const created of ["yesterday", "2020-01-01", "2020-01-01t00:00:00z", "2020-13-01T00:00:00Z"]
  ) {
    assertThrows(() => parse({ created }), Fault, "RFC 3339");
  }
});

Deno.test("what is no image.json is refused by the field that tells", () => {
  const cases: [object, string][] = [
    [{ version: 2 }, '"version" is 2'],
    [{ layers: {} }, '"layers" is no list'],
    [{ layers: [{ ...LAYER, digest: "x" }] }, '"layers[0].digest" is "x"'],
    [{ layers: [{ ...LAYER, paths: [] }] }, '"layers[0].paths" is empty'],
    [{ layers: [{ ...LAYER, size: -1 }] }, '"layers[0].size" is negative'],
    [{ layers: [{ ...LAYER, mediatype: "text/plain" }] }, '"layers[0].mediatype"'],
    [{ layers: [{ ...LAYER, paths: [{ path: "" }] }] }, '"layers[0].paths[0].path"'],
    [{ "image-config": { Env: [1] } }, '"image-config.Env[0]" is no string'],
  ];
  for (const [image, message] of cases) {
    assertStringIncludes(assertThrows(() => parse(image), Fault).message, message);
  }
  for (const text of ["", "[]", "null", "{"]) {
    assertThrows(() => parseImageJson(text, "image.json"), Fault);
  }
});

Deno.test("labels of the recipe join those of the image", () => {
  const image = { "image-config": { Labels: { a: "1", "10": "2" } } };
  assertEquals(configOf(image, { a: "3", "9": "4" }).Labels, { a: "3", "10": "2", "9": "4" });
});
