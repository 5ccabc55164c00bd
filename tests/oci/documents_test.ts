import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Fault } from "../../lib/model/errors.ts";
import type { Json } from "../../lib/model/json.ts";
import { MediaType } from "../../lib/model/oci.ts";
import {
  documentType,
  encodeConfig,
  encodeIndex,
  encodeManifest,
  parseConfig,
  parseIndex,
  parseManifest,
} from "../../lib/oci/documents.ts";
import { canonicalJson, goJson, goMap } from "../../lib/oci/json.ts";
import { sha256 } from "../../lib/oci/sha256.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const DIGEST = sha256("x");

Deno.test("goJson() escapes as Go does", () => {
  assertEquals(
    text(goJson({ b: '<a> & \u2028\u2029 é " \\', a: [1, true, null] })),
    '{"b":"\\u003ca\\u003e \\u0026 \\u2028\\u2029 é \\" \\\\","a":[1,true,null]}',
  );
});

Deno.test("goJson() keeps the order of a map, and writes U+FFFD for what is no Unicode", () => {
  const members = { "443": "\ud800x", "80": 1, "8080/tcp": 2, "\u{1f600}": 3, "\uffff": 4 };
  assertEquals(
    text(goJson({ a: goMap(members), none: undefined })),
    '{"a":{"443":"\ufffdx","80":1,"8080/tcp":2,"\uffff":4,"\u{1f600}":3}}',
  );
  const labels = { "9": "b", "10": "a" };
  const config = { architecture: "amd64", os: "linux", config: { Labels: labels } };
  assertStringIncludes(
    text(encodeConfig({ ...config, rootfs: { type: "layers", diff_ids: [] } })),
    '"Labels":{"10":"a","9":"b"}',
  );
});

/** V8 15.0 now and then misreads an escaped name that begins like one it has seen. */
const anyJson = fc.jsonValue().filter((value) => !JSON.stringify(value).includes("\\"));

Deno.test("canonicalJson() escapes as ECMAScript does", () => {
  assertEquals(canonicalJson({ 'b"\n': "\\", a: "\u2028" }), '{"a":"\u2028","b\\"\\n":"\\\\"}');
});

Deno.test("canonicalJson() does not depend on the order of members", () => {
  fc.assert(fc.property(anyJson, (value) => {
    const shuffled = JSON.parse(
      JSON.stringify(
        value,
        (_, each) =>
          typeof each === "object" && each !== null && !Array.isArray(each)
            ? Object.fromEntries(Object.entries(each).reverse())
            : each,
      ),
    );
    assertEquals(
      canonicalJson(shuffled as Json),
      canonicalJson(JSON.parse(JSON.stringify(value)) as Json),
    );
    assertEquals(JSON.parse(canonicalJson(shuffled as Json)), JSON.parse(JSON.stringify(value)));
  }));
});

Deno.test("encodeConfig() writes fields in the order of the specification's types", () => {
  const bytes = encodeConfig({
    architecture: "amd64",
    os: "linux",
    created: "1970-01-01T00:00:00Z",
    config: {
      Labels: { b: "2", a: "<1>" },
      Cmd: ["x"],
      Env: [],
      ExposedPorts: { "8080/tcp": {} },
      Healthcheck: { Test: ["CMD", "true"], Interval: 5 },
      User: "",
    },
    rootfs: { type: "layers", diff_ids: [DIGEST] },
    history: [{ created_by: "x", empty_layer: true }],
  });
  assertEquals(
    text(bytes),
    '{"created":"1970-01-01T00:00:00Z","architecture":"amd64","os":"linux",' +
      '"config":{"ExposedPorts":{"8080/tcp":{}},"Cmd":["x"],"Labels":{"a":"\\u003c1\\u003e","b":"2"},' +
      '"Healthcheck":{"Test":["CMD","true"],"Interval":5}},' +
      `"rootfs":{"type":"layers","diff_ids":["${DIGEST}"]},"history":[{"created_by":"x","empty_layer":true}]}`,
  );
});

Deno.test("encodeManifest() and encodeIndex() keep what must be there", () => {
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: DIGEST, size: 0 };
  assertEquals(
    text(encodeManifest({ config, layers: [], annotations: { b: "", a: "1" } })),
    `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"${config.mediaType}","digest":"${DIGEST}","size":0},"layers":[],"annotations":{"a":"1","b":""}}`,
  );
  const platform = { os: "linux", architecture: "arm", variant: "v7" };
  assertStringIncludes(
    text(encodeIndex({ manifests: [{ ...config, platform }] })),
    '"platform":{"architecture":"arm","os":"linux","variant":"v7"}',
  );
});

Deno.test("parseManifest() takes null for no layers", () => {
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: DIGEST, size: 0 };
  const bytes = goJson({ schemaVersion: 2, config, layers: null });
  assertEquals(parseManifest(bytes, "test").layers, []);
});

Deno.test("parseManifest() and parseConfig() refuse what is none", () => {
  const cases = [
    "",
    "{",
    "[]",
    "{}",
    '{"schemaVersion":2}',
    '{"schemaVersion":2,"config":{},"layers":[]}',
  ];
  for (const each of cases) {
    assertThrows(() => parseManifest(new TextEncoder().encode(each), "test"), Fault);
    assertThrows(() => parseConfig(new TextEncoder().encode(each), "test"), Fault);
  }
});

const encoded = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const CONFIG_OF = {
  mediaType: "application/vnd.oci.image.config.v1+json",
  digest: DIGEST,
  size: 1,
};
const MANIFEST = { schemaVersion: 2, config: CONFIG_OF, layers: [CONFIG_OF] };
const CONFIG = { architecture: "amd64", os: "linux", rootfs: { diff_ids: [DIGEST] } };

Deno.test("parseConfig() names the field that is malformed", () => {
  const cases: [fields: Record<string, unknown>, words: string][] = [
    [{ config: { Env: [7] } }, "config.Env[0] is 7, not a text"],
    [{ config: { Env: "A=b" } }, 'config.Env is "A=b", not a list'],
    [{ config: { Env: [null] } }, "config.Env[0] is null"],
    [{ config: { User: 12 } }, "config.User is 12"],
    [{ config: { Cmd: {} } }, "config.Cmd is an object"],
    [{ config: { Entrypoint: "/bin/sh" } }, "config.Entrypoint"],
    [{ config: { Volumes: ["/data"] } }, "config.Volumes is a list, not an object"],
    [{ config: { ExposedPorts: { "80/tcp": "x" } } }, 'config.ExposedPorts["80/tcp"]'],
    [{ config: { Labels: { a: 1 } } }, 'config.Labels["a"] is 1'],
    [{ config: { WorkingDir: [] } }, "config.WorkingDir"],
    [{ config: { StopSignal: 9 } }, "config.StopSignal"],
    [{ config: { ArgsEscaped: "true" } }, "config.ArgsEscaped"],
    [{ config: { OnBuild: "COPY a /" } }, "config.OnBuild"],
    [{ config: { Shell: [[]] } }, "config.Shell[0]"],
    [{ config: { Healthcheck: { Test: "CMD" } } }, "config.Healthcheck.Test"],
    [{ config: { Healthcheck: { Interval: 1.5 } } }, "config.Healthcheck.Interval is 1.5"],
    [{ config: { Healthcheck: { Retries: 2 ** 60 } } }, "config.Healthcheck.Retries"],
    [{ config: [] }, "config is a list"],
    [{ history: "text" }, "history is"],
    [{ history: [null] }, "history[0] is null"],
    [{ history: [{ created_by: 1 }] }, "history[0].created_by"],
    [{ history: [{ empty_layer: 1 }] }, "history[0].empty_layer"],
    [{ history: [{ created: "yesterday" }] }, "history[0].created"],
    [{ created: "2024-13-45T00:00:00Z" }, "created is"],
    [{ author: {} }, "author is an object"],
    [{ os: undefined }, "os is missing"],
    [{ architecture: 7 }, "architecture is 7"],
    [{ "os.features": "win32k" }, "os.features"],
    [{ rootfs: [] }, "rootfs is a list"],
    [{ rootfs: { diff_ids: ["sha512:00"] } }, "rootfs.diff_ids[0]"],
    [{ rootfs: { diff_ids: {} } }, "rootfs.diff_ids is an object"],
  ];
  for (const [fields, words] of cases) {
    const fault = assertThrows(
      () => parseConfig(encoded({ ...CONFIG, ...fields }), "a/b:c"),
      Fault,
    );
    assertStringIncludes(fault.message, words);
    assertEquals([fault.where, fault.next !== undefined], ["a/b:c", true]);
  }
});

Deno.test("parseConfig() takes null where Go does, and keeps what it does not know", () => {
  const nothing = { Env: null, Cmd: null, Labels: null, Volumes: null, Healthcheck: null };
  const read = parseConfig(
    encoded({
      ...CONFIG,
      author: null,
      history: null,
      container: "abc",
      config: { ...nothing, ExposedPorts: { "80/tcp": null }, StopTimeout: 9 },
    }),
    "x",
  );
  assertEquals(
    read,
    {
      architecture: "amd64",
      os: "linux",
      container: "abc",
      config: { ExposedPorts: { "80/tcp": {} }, StopTimeout: 9 },
      rootfs: { type: "layers", diff_ids: [DIGEST] },
    } as unknown as typeof read,
  );
  assertEquals(parseConfig(encoded({ ...CONFIG, config: null, rootfs: null }), "x").config, {});
});

Deno.test("parseConfig() is not led astray by names of prototypes, nor by depth", () => {
  const text = `{"architecture":"amd64","os":"linux","__proto__":{"config":{"Env":[1]}},` +
    `"config":{"Labels":{"__proto__":"p","constructor":"c"},"constructor":{"a":1}}}`;
  const read = parseConfig(new TextEncoder().encode(text), "x");
  assertEquals(Object.entries(read.config!.Labels!), [["__proto__", "p"], ["constructor", "c"]]);
  assertEquals(read.config!.Env, undefined);
  assertStringIncludes(
    new TextDecoder().decode(encodeConfig(read)),
    '"Labels":{"__proto__":"p","constructor":"c"}',
  );
  const deep = `{"architecture":"amd64","os":"linux","x":${"[".repeat(5e5)}${"]".repeat(5e5)}}`;
  const fault = assertThrows(() => parseConfig(new TextEncoder().encode(deep), "x"), Fault);
  assertStringIncludes(fault.message, "levels deep");
});

Deno.test("parseManifest() and parseIndex() name the field that is malformed", () => {
  const manifests: [Record<string, unknown>, string][] = [
    [{ schemaVersion: 1 }, "schemaVersion is 1, not 2"],
    [{ config: undefined }, "config is missing"],
    [{ layers: {} }, "layers is an object"],
    [{ layers: [null] }, "layers[0] is null"],
    [{ layers: [{ ...CONFIG_OF, size: -1 }] }, "layers[0].size is -1"],
    [{ layers: [{ ...CONFIG_OF, size: "1" }] }, "layers[0].size"],
    [{ layers: [{ ...CONFIG_OF, digest: "sha256:../x" }] }, "layers[0].digest"],
    [{ layers: [{ ...CONFIG_OF, mediaType: undefined }] }, "layers[0].mediaType is missing"],
    [{ layers: [{ ...CONFIG_OF, urls: "x" }] }, "layers[0].urls"],
    [{ layers: [{ ...CONFIG_OF, annotations: { a: [] } }] }, 'layers[0].annotations["a"]'],
    [{ annotations: [] }, "annotations is a list"],
    [{ mediaType: 1 }, "mediaType is 1"],
    [{ subject: "x" }, "subject is"],
    [{ manifests: [] }, "an index as well"],
  ];
  for (const [fields, words] of manifests) {
    const bytes = encoded({ ...MANIFEST, ...fields });
    assertStringIncludes(assertThrows(() => parseManifest(bytes, "x"), Fault).message, words);
  }
  const child = { ...CONFIG_OF, platform: { os: "linux", architecture: "arm" } };
  const indexes: [Record<string, unknown>, string][] = [
    [{ manifests: undefined }, "manifests is missing"],
    [{ manifests: [{ ...child, platform: "linux/arm" }] }, "manifests[0].platform is"],
    [{ manifests: [{ ...child, platform: { os: [] } }] }, "manifests[0].platform.os is a list"],
    [{ layers: [] }, "a manifest as well"],
  ];
  for (const [fields, words] of indexes) {
    const bytes = encoded({ schemaVersion: 2, manifests: [child], ...fields });
    assertStringIncludes(assertThrows(() => parseIndex(bytes, "x"), Fault).message, words);
  }
  assertEquals(parseIndex(encoded({ schemaVersion: 2, manifests: [child] }), "x").manifests, [
    child,
  ]);
});

Deno.test("a document of any shape is read or refused in words", () => {
  const names = ["config", "layers", "manifests", "rootfs", "history", "Env", "Labels", "platform"];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, true, 0, -1, 1e300, "", "x", DIGEST),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names, "__proto__", "digest", "size"), tie("any")),
    ),
  })).any;
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), value), (odd) => {
      for (
        const [parse, base] of [
          [parseManifest, MANIFEST],
          [parseConfig, CONFIG],
          [parseIndex, { schemaVersion: 2, manifests: [] }],
        ] as const
      ) {
        try {
          parse(encoded({ ...base, ...odd }), "x");
        } catch (error) {
          assertEquals((error as Error).name, "Fault");
        }
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("documentType() goes by what a document says, or else by what it looks like", () => {
  const docker = MediaType.dockerManifest;
  const cases: [unknown, string | undefined][] = [
    [{ ...MANIFEST, mediaType: docker }, docker],
    [MANIFEST, MediaType.manifest],
    [{ ...MANIFEST, mediaType: "text/plain" }, MediaType.manifest],
    [{ schemaVersion: 2, manifests: [] }, MediaType.index],
    [{ schemaVersion: 1, fsLayers: [] }, undefined],
    [{ schemaVersion: 2 }, undefined],
    [[], undefined],
    [null, undefined],
  ];
  for (const [document, type] of cases) assertEquals(documentType(encoded(document)), type);
  assertEquals(documentType(new TextEncoder().encode("<html>")), undefined);
});
