/** What a newer Bazel than Debian's prints: recorded, see tests/fixtures/bazel. */

import { assertEquals, assertMatch } from "@std/assert";
import { type BuildEvents, parseEvents } from "../../plugins/rules_img/bazel/events.ts";
import { QueryReader } from "../../plugins/rules_img/bazel/query.ts";
import { closureOf } from "../../plugins/rules_img/closure/closure.ts";
import { repositoryFolder } from "../../plugins/rules_img/closure/sources.ts";
import { imageOf, TestProject } from "../support/project.ts";

function recorded(name: string): string {
  return Deno.readTextFileSync(new URL(`../fixtures/bazel/${name}`, import.meta.url));
}

/** Paths of a target's group. */
function pathsOf({ targets }: BuildEvents, label: string, group: string): string[] {
  return (targets.get(label)?.groups.get(group) ?? []).map(({ path }) => path);
}

const BIN = "/out/execroot/_main/bazel-out/k8-fastbuild/bin";

Deno.test("events: targets of this module and of another, files in sets of sets", () => {
  const events = parseEvents(recorded("build.jsonl"));
  assertEquals([...events.targets.keys()].sort(), ["//app:both", "//app:image", "@lib~//:image"]);
  assertEquals(pathsOf(events, "//app:image", "digest"), [`${BIN}/app/image_digest`]);
  assertEquals(pathsOf(events, "@lib~//:image", "digest"), [`${BIN}/external/lib~/image_digest`]);
  assertEquals(pathsOf(events, "//app:both", "oci_layout"), [
    `${BIN}/app/image_layout/blobs/sha256/aa`,
    `${BIN}/app/image_layout/index.json`,
    `${BIN}/app/both_layout/blobs/sha256/aa`,
    `${BIN}/app/both_layout/index.json`,
  ]);
});

Deno.test("events: what an aspect made of a target is not the target's", () => {
  const text = recorded("aspects.jsonl");
  const events = parseEvents(text);
  assertEquals(pathsOf(events, "//app:image", "digest"), [`${BIN}/app/image_digest`]);
  assertEquals(pathsOf(events, "//app:image", "oci_layout").length, 2);
  assertEquals(events.targets.get("//app:image")?.success, true);

  const lines = text.split("\n");
  const at = lines.findLastIndex((line) => line.includes('"completed"'));
  const failed = lines.with(at, lines[at]!.replace('"success":true,', ""));
  assertEquals(parseEvents(failed.join("\n")).targets.get("//app:image")?.success, false);
});

Deno.test("events: files that a cache holds are where Bazel puts what it fetches", () => {
  const text = recorded("remote.jsonl");
  assertEquals(text.includes('"uri":"file://'), false);
  const events = parseEvents(text);
  assertEquals(pathsOf(events, "//app:image", "digest"), [`${BIN}/app/image_digest`]);
  assertEquals(pathsOf(events, "//app:image", "oci_layout"), [
    `${BIN}/app/image_layout/blobs/sha256/aa`,
    `${BIN}/app/image_layout/index.json`,
  ]);
});

Deno.test("events: files that are handed over inline are files of their group", () => {
  const inline = recorded("build.jsonl").replaceAll(
    '"outputGroup":[{"name":"digest","fileSets":[{"id":"2"}]}',
    '"outputGroup":[{"name":"digest","inlineFiles":[{"name":"app/image_digest",' +
      '"pathPrefix":["bazel-out","k8-fastbuild","bin"],"contents":"c2hhMjU2OmFiYw=="}]}',
  );
  assertEquals(pathsOf(parseEvents(inline), "//app:image", "digest"), [`${BIN}/app/image_digest`]);
});

Deno.test("events: why targets were not built", () => {
  const { targets, aborted } = parseEvents(recorded("failing.jsonl"));
  assertEquals(targets.get("//app:image")?.success, true);
  for (const label of ["//app:boom_img", "//app:boomed"]) {
    const { success, failures } = targets.get(label)!;
    assertEquals([success, failures[0]?.label, failures[0]?.mnemonic], [
      false,
      "//app:boom_img",
      "ImgLayout",
    ]);
  }
  assertMatch(aborted.get("//app:nope")!.description!, /^no such target '\/\/app:nope'/);
  assertMatch(aborted.get("//app:depends")!.description!, /^no such package 'nowhere'/);
  assertEquals(aborted.get("//app:only_arm"), { reason: "ANALYSIS_FAILURE", causes: [] });
});

Deno.test("a query names source files by their own place, repositories by their folder", () => {
  const reader = new QueryReader();
  for (const line of recorded("query.xml").split("\n")) reader.line(line);
  const queried = reader.targets;
  assertEquals(closureOf(queried, ["//app:image", "@lib//:image"]).missing, []);
  assertEquals(closureOf(queried, ["//app:image"]).sources, ["//app:a b.txt"]);
  assertEquals(repositoryFolder(queried, "//app:a b.txt"), "/ws");
  assertEquals(repositoryFolder(queried, "//app:image"), "/ws");
  assertEquals(repositoryFolder(queried, "@lib//:image"), "/out/external/lib~");
  assertEquals(repositoryFolder(queried, "//app:nope"), undefined);
});

/** File, status of the command, target, and what people are told. */
const TOLD: readonly (readonly [string, number, string, RegExp])[] = [
  [
    "registry.txt",
    32,
    "//app:image",
    /failed .*Error accessing registry .*Unknown host.*next: check the network and HTTPS_PROXY/s,
  ],
  [
    "module-syntax.txt",
    48,
    "//app:image",
    /MODULE\.bazel:4:6: 'is' not supported.*next: correct MODULE\.bazel/s,
  ],
  [
    "module-call.txt",
    48,
    "//app:image",
    /MODULE\.bazel:4:10: Error in bazel_dep: .*unexpected keyword argument 'nme'/s,
  ],
  [
    "syntax.txt",
    3,
    "//app:image",
    /app\/BUILD\.bazel:11:6: 'is' not supported.*next: correct the BUILD file/s,
  ],
  ["targets.txt", 3, "//app:nope", /no such target '\/\/app:nope'.*next: correct the label/s],
  ["targets.txt", 3, "//nowhere:image", /no such package 'nowhere'.*add the package's BUILD/s],
  [
    "targets.txt",
    3,
    "@nolib//:x",
    /No repository visible as '@nolib'.*declare the repository in MODULE\.bazel/s,
  ],
];

Deno.test("faults of a query, as people are told", async (t) => {
  await using project = await TestProject.create({ "MODULE.bazel": "", "MODULE.bazel.lock": "" });
  for (const [file, status, target, told] of TOLD) {
    await t.step(`${target} in ${file}`, async () => {
      project.write({ "said.txt": recorded(file).replaceAll("/ws/", `${project.root}/`) });
      const answer = `echo '<query version="2"></query>'; cat said.txt >&2; exit ${status}`;
      project.fakeTool("bazel", answer);
      project.define(`{ images: { app: rulesImg({ target: "${target}" }) } }`);
      const { code, stderr } = await project.images("build", "app");
      assertEquals(code, 1);
      assertMatch(stderr, told);
    });
  }
});

Deno.test("faults of a build, as people are told", async () => {
  await using project = await TestProject.create({ "MODULE.bazel": "", "MODULE.bazel.lock": "" });
  const here = (text: string) => text.replaceAll("/ws/", `${project.root}/`);
  project.write({
    "query.xml": here(recorded("query.xml")),
    "said.txt": recorded("remote-cache.txt"),
  });
  project.fakeTool(
    "bazel",
    'case "$1" in query) cat query.xml ;; *) cat said.txt >&2; exit 38 ;; esac',
  );
  project.define(`{ images: { app: rulesImg({ target: "//app:image" }) } }`);
  const document = await project.json(["build"], 1);
  const { error } = imageOf(document, "app");
  assertMatch(error!.message, /^Failed to query remote execution capabilities/);
  assertMatch(error!.next!, /see that the remote cache .* answers/);
});
