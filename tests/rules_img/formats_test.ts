/** Reading what Bazel prints, in the forms of Debian's 4.2.3 and of 7.4 and later. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseEvents } from "../../plugins/rules_img/bazel/events.ts";
import { errorFor, errorIn, faultOfError } from "../../plugins/rules_img/bazel/faults.ts";
import {
  canonicalLabel,
  formatLabel,
  parseLabel,
  parseTarget,
} from "../../plugins/rules_img/bazel/label.ts";
import { QueryReader } from "../../plugins/rules_img/bazel/query.ts";
import { closureOf } from "../../plugins/rules_img/closure/closure.ts";
import { describedLayers, shallowFlags } from "../../plugins/rules_img/described.ts";

const APP = { repository: "", package: "app", name: "BUILD" };

Deno.test("labels are one label, however they are written", () => {
  const cases: [string, string | undefined][] = [
    ["//app:image", "//app:image"],
    ["//app", "//app:app"],
    ["//a/b", "//a/b:b"],
    ["@//app:image", "//app:image"],
    ["@@//app:image", "//app:image"],
    [":image", "//app:image"],
    ["//:top", "//:top"],
    ["@rules_img//img:x", "@rules_img//img:x"],
    ["@@rules_img+//img:x", "@rules_img+//img:x"],
    ["@@rules_img~0.3.19//img:x", "@rules_img~0.3.19//img:x"],
    ["//app:src/a b.md", "//app:src/a b.md"],
    ["image", undefined],
    ["//", undefined],
    ["/abs/path", undefined],
  ];
  for (const [text, expected] of cases) {
    const label = parseLabel(text, APP);
    assertEquals(label && formatLabel(label), expected, text);
  }
  for (const text of ["//app/...", "//app:all", "//app:*", "-//app", "app", "a b"]) {
    const isSingle = text === "app";
    assertEquals(parseTarget(text) !== undefined, isSingle, text);
  }
});

Deno.test("a label that was written is read back", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,6}$/);
  const label = fc.record({
    repository: fc.oneof(fc.constant(""), fc.stringMatching(/^[a-z][\w.+~-]{0,6}$/)),
    package: fc.array(word, { maxLength: 3 }).map((parts) => parts.join("/")),
    name: fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
  }, { noNullPrototype: true });
  fc.assert(fc.property(label, (each) => {
    assertEquals(parseLabel(formatLabel(each)), each);
    assertEquals(canonicalLabel(`@${formatLabel(each).replace(/^@/, "")}`), formatLabel(each));
  }));
});

function read(xml: string) {
  const reader = new QueryReader();
  for (const line of xml.split("\n")) reader.line(line);
  return reader.targets;
}

const DIGEST = `sha256:${"a".repeat(64)}` as const;
const LAYER = `sha256:${"b".repeat(64)}` as const;
const HELD = `sha256:${"c".repeat(64)}` as const;
const MANIFEST = JSON.stringify({ layers: [{ digest: LAYER }, { digest: HELD }] })
  .replaceAll('"', "&quot;");

/** A pulled base and a target above it, as Bazel 7.4 prints them under bzlmod. */
const BZLMOD = `<?xml version="1.1" encoding="UTF-8" standalone="no"?>
<query version="2">
    <rule class="image_manifest" location="/ws/app/BUILD.bazel:3:15" name="//app:image">
        <string name="name" value="image"/>
        <label name="base" value="@@rules_img~~images~base//:image"/>
        <list name="layers">
            <label value="//app:layer"/>
        </list>
        <rule-input name="//app:layer"/>
        <rule-input name="@@bazel_tools//tools:x"/>
        <rule-input name="@@rules_img~//img/settings:shallow_oci_layout"/>
        <rule-input name="@@rules_img~~images~base//:image"/>
    </rule>
    <rule class="image_import" location="/out/external/rules_img~~images~base/BUILD.bazel:1:13" name="@@rules_img~~images~base//:image">
        <string name="digest" value="${DIGEST}"/>
        <dict name="data">
            <pair>
                <string value="${DIGEST}"/>
                <string value="${MANIFEST}"/>
            </pair>
        </dict>
        <dict name="files">
            <pair>
                <string value="${HELD}"/>
                <label value="@@rules_img~~images~base//:blobs/held"/>
            </pair>
        </dict>
        <list name="registries">
            <string value="mirror.example.com"/>
            <string value="index.docker.io"/>
        </list>
        <string name="repository" value="library/node"/>
    </rule>
    <rule class="string_flag" location="/out/external/rules_img~/img/settings/BUILD.bazel:9:12" name="@@rules_img~//img/settings:shallow_oci_layout"/>
    <generated-file generating-rule="//app:make" location="/ws/app/BUILD.bazel:9:5" name="//app:layer"/>
    <rule class="genrule" location="/ws/app/BUILD.bazel:9:5" name="//app:make">
        <string name="cmd" value="echo &lt;&#xA;&amp; &quot;x&quot;"/>
        <rule-input name="@@//app:source.txt"/>
        <rule-output name="//app:layer"/>
    </rule>
    <source-file location="/ws/app/BUILD.bazel:9:5" name="//app:source.txt">
        <visibility-label name="//visibility:private"/>
    </source-file>
</query>`;

Deno.test("a query's answer under bzlmod: closure, missing targets, layers of a base", () => {
  const queried = read(BZLMOD);
  const closure = closureOf(queried, ["//app:image"]);
  assertEquals(closure.sources, ["//app:source.txt"]);
  assertEquals(closure.missing, []);
  assertEquals(closureOf(queried, ["//app:nope"]).missing, ["//app:nope"]);
  assertEquals(queried.get("//app:image")?.location, "/ws/app/BUILD.bazel");

  const described = describedLayers(queried, closure);
  assertEquals([...described], [[LAYER, [
    { at: "registry", host: "mirror.example.com", repository: "library/node" },
    { at: "registry", host: "docker.io", repository: "library/node" },
  ]]]);
  assertEquals(shallowFlags(described, closure), [
    "--@@rules_img~//img/settings:shallow_oci_layout=i_know_what_i_am_doing",
  ]);
  assertEquals(shallowFlags(new Map(), closure), []);
});

/** Lines of a build event file, as Bazel 7.4 writes them with a remote cache. */
const EVENTS = [
  { id: { started: {} }, started: { buildToolVersion: "7.4.1" } },
  { id: { workspace: {} }, workspaceInfo: { localExecRoot: "/out/execroot/_main" } },
  {
    id: { namedSet: { id: "0" } },
    namedSetOfFiles: {
      files: [{
        name: "app/image_digest",
        uri: "file:///out/execroot/_main/bazel-out/k8-fastbuild-ST-1a2b/bin/app/image%20digest",
        pathPrefix: ["bazel-out", "k8-fastbuild-ST-1a2b", "bin"],
        digest: "00",
        length: "71",
      }],
    },
  },
  {
    id: { namedSet: { id: "1" } },
    namedSetOfFiles: {
      files: [{
        name: "app/layout/index.json",
        uri: "bytestream://cache.example.com/blobs/00/71",
        pathPrefix: ["bazel-out", "k8-fastbuild-ST-1a2b", "bin"],
      }],
      fileSets: [{ id: "0" }],
    },
  },
  {
    id: { targetCompleted: { label: "@@//app:image", configuration: { id: "x" } } },
    completed: {
      success: true,
      outputGroup: [
        { name: "digest", fileSets: [{ id: "0" }] },
        { name: "oci_layout", fileSets: [{ id: "1" }, { id: "0" }] },
      ],
    },
  },
  {
    id: {
      actionCompleted: { primaryOutput: "bazel-out/x/boom.txt", label: "//app:boom" },
    },
    action: {
      exitCode: 1,
      type: "Genrule",
      failureDetail: { message: "bash failed: error executing Genrule command" },
    },
  },
  {
    id: { targetCompleted: { label: "//app:boom_image", configuration: { id: "x" } } },
    children: [{
      actionCompleted: { primaryOutput: "bazel-out/x/boom.txt", label: "//app:boom" },
    }],
    completed: { failureDetail: { message: "its own" } },
  },
  {
    id: { pattern: { pattern: ["//app:nope"] } },
    aborted: { reason: "LOADING_FAILURE", description: "no such target '//app:nope'" },
  },
  {
    id: { targetCompleted: { label: "//app:odd", configuration: { id: "x" } } },
    aborted: { reason: "ANALYSIS_FAILURE" },
  },
];

Deno.test("build events: files of groups, wherever they are; causes of failures", () => {
  const lines = EVENTS.map((event) => JSON.stringify(event));
  const { targets, aborted } = parseEvents([...lines, '{"id":{"cut'].join("\n"));
  const bin = "/out/execroot/_main/bazel-out/k8-fastbuild-ST-1a2b/bin/app";
  const digest = { name: "app/image_digest", path: `${bin}/image digest` };
  const index = { name: "app/layout/index.json", path: `${bin}/layout/index.json` };
  assertEquals(targets.get("//app:image"), {
    success: true,
    groups: new Map([["digest", [digest]], ["oci_layout", [index, digest]]]),
    failures: [],
  });
  assertEquals(targets.get("//app:boom_image"), {
    success: false,
    groups: new Map(),
    failures: [
      {
        message: "bash failed: error executing Genrule command",
        label: "//app:boom",
        mnemonic: "Genrule",
      },
      { message: "its own" },
    ],
  });
  assertEquals([...aborted], [
    ["//app:nope", {
      description: "no such target '//app:nope'",
      reason: "LOADING_FAILURE",
      causes: [],
    }],
    ["//app:odd", { reason: "ANALYSIS_FAILURE", causes: [] }],
  ]);
});

Deno.test("errors of Bazel become faults with a place", () => {
  const errors = [
    "/ws/other/BUILD:1:1: name 'x' is not defined",
    "/ws/app/BUILD.bazel:7:15: //app:bad: no such attribute 'nope'",
    "Skipping '//app:gone': no such target '//app:gone': target 'gone' not declared",
  ];
  assertEquals(errorIn(errors, ["//app", "//lib"], "/ws"), errors[1]);
  assertEquals(errorIn(errors, ["//", "//lib"], "/ws/other"), errors[0]);
  assertEquals(errorIn(errors, ["//lib"], "/ws"), undefined);
  assertEquals(errorFor(errors, "//app:gone"), errors[2]);
  const unread = [
    "/out/external/lib~/BUILD:1:1: syntax error at 'x'",
    "Skipping '@lib//:x': no such target '@@lib~//:x' defined by /out/external/lib~/BUILD",
  ];
  assertEquals(errorFor(unread, "@lib//:x"), unread[0]);

  const fault = faultOfError(errors[1]!, "/ws", "app");
  assertEquals(fault.place, { file: "app/BUILD.bazel", line: 7, column: 15 });
  assertEquals(fault.message, "//app:bad: no such attribute 'nope'");
  const missing = faultOfError(errors[2]!, "/ws", "app");
  assertEquals(missing.message, "no such target '//app:gone': target 'gone' not declared");
  assertEquals(missing.next, "correct the label in images.ts, or declare the target");
});
