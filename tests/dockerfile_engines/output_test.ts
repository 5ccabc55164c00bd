/** Reading plain output, writing Dockerfiles for engines, and what stays out of layers. */

import { assertEquals } from "@std/assert";
import type { Progress } from "../../lib/model/plugin.ts";
import { type LayerFile, writeLayer } from "../../lib/oci/layer.ts";
import { MountPoints } from "../../plugins/dockerfile/engines/mount_points.ts";
import { OutputWatcher } from "../../plugins/dockerfile/engines/output.ts";
import { redactor } from "../../plugins/dockerfile/engines/secrets.ts";

function watch(text: string, stages: readonly number[] = []) {
  const told: Progress[] = [];
  const watcher = new OutputWatcher((progress) => told.push(progress), stages);
  for (const line of text.split("\n")) watcher.add(line);
  const texts = told.map(({ phase, done, total }) =>
    done === undefined ? phase : `${phase} ${done}/${total}`
  );
  return { watcher, told: texts };
}

Deno.test("BuildKit's output tells steps, bytes, and the lines of what failed", () => {
  const { watcher, told } = watch(`#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s
#5 [build  1/3] FROM docker.io/library/node@sha256:91796d9e7152
#5 sha256:c631cb3c19d09d1f41b9e5d093a1ef9bbb7dec8f5016637b22b4fd61afa84224 5.24MB / 41.90MB 0.2s
#5 sha256:c631cb3c19d09d1f41b9e5d093a1ef9bbb7dec8f5016637b22b4fd61afa84225 512B / 1.10kB 0.2s
#5 DONE 7.7s
#6 [stage-1 2/2] WORKDIR /app
#6 CACHED
#7 [build  2/3] RUN make
#7 0.512 compiling
#7 1.024 it broke
#7 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2
------
 > [build 2/3] RUN make:
0.512 compiling
1.024 it broke
------
Dockerfile:12
--------------------
  12 | >>> RUN make
--------------------
ERROR: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2`);
  assertEquals(told, [
    "step 0/3",
    "pulling 5240000/41900000",
    "pulling 5240512/41901100",
    "step 1/3",
    "step 1/5",
    "step 2/5",
    "step 2/5",
  ]);
  assertEquals(watcher.place, { line: 12 });
  assertEquals(watcher.lastLines, ["compiling", "it broke"]);
});

Deno.test("podman's and buildah's output tells steps over all stages", () => {
  const { watcher, told } = watch(
    `[1/2] STEP 1/2: FROM docker.io/library/node@sha256:91796d9e7152
Trying to pull docker.io/library/node@sha256:91796d9e7152...
Copying blob sha256:c631cb3c19d0
[1/2] STEP 2/2: RUN make
--> 4004b75ad3e
[2/2] STEP 1/3: FROM 4004b75ad3e
[2/2] STEP 2/3: RUN other
words
Error: building at STEP "RUN other": exit status 1`,
    [2, 3],
  );
  assertEquals(told, ["step 0/5", "pulling", "pulling", "step 1/5", "step 2/5", "step 3/5"]);
  assertEquals(watcher.place, { stage: 2, step: 2, of: 3 });
  assertEquals(watcher.lastLines[0], "words");
});

Deno.test("the classic builder's output tells steps", () => {
  const { watcher, told } = watch("Step 1/2 : FROM x\n ---> 1\nStep 2/2 : RUN y\nwords");
  assertEquals(told, ["step 0/2", "step 1/2"]);
  assertEquals([watcher.place, watcher.lastLines], [{ step: 2 }, ["words"]]);
});

Deno.test("secrets are taken out of lines, whole and line by line", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "first-line-of-it\nend\nsecond-line-of-it\n");
    Deno.env.set("IMAGES_TEST_SECRET", "pass");
    const redact = redactor([{ id: "a", file }, { id: "b", env: "IMAGES_TEST_SECRET" }]);
    assertEquals(redact("x first-line-of-it y pass end"), "x *** y *** end");
    assertEquals(redact("second-line-of-itsecond-line-of-it"), "******");
  } finally {
    Deno.env.delete("IMAGES_TEST_SECRET");
    await Deno.remove(file);
  }
});

const folder = (path: string, mode = 0o755, uid = 0): LayerFile => ({
  path,
  type: "directory",
  mode,
  uid,
  gid: 0,
});

const file = (path: string, mode: number, text = ""): LayerFile => ({
  ...folder(path),
  type: "file",
  mode,
  content: new TextEncoder().encode(text),
});

/** What is found in the last of these layers. */
async function mountPointsIn(...layers: readonly (readonly LayerFile[])[]): Promise<string[]> {
  const archives = layers.map((files) => () =>
    Promise.resolve(ReadableStream.from(writeLayer(files, { mtime: 0 })))
  );
  return [...await new MountPoints(archives).in(layers.length - 1)].sort();
}

Deno.test("places to mount at are found, and nothing that is meant to be there", async () => {
  assertEquals(
    await mountPointsIn([
      ...["/dev", "/proc", "/sys", "/run", "/run/secrets", "/etc", "/x"].map((it) => folder(it)),
      file("/etc/hosts", 0o755),
      file("/etc/resolv.conf", 0o755),
    ]),
    ["dev", "etc", "etc/hosts", "etc/resolv.conf", "proc", "run", "run/secrets", "sys"],
  );
  assertEquals(
    await mountPointsIn([
      ...["/run", "/run/app", "/etc", "/dev"].map((it) => folder(it)),
      file("/etc/hosts", 0o755, "127.0.0.1 here\n"),
      file("/etc/hostname", 0o644),
      file("/dev/x", 0o755),
    ]),
    [],
  );
  assertEquals(
    await mountPointsIn([folder("/etc"), file("/etc/hosts", 0o755), file("/etc/a", 0o644)]),
    ["etc/hosts"],
  );
});

Deno.test("a place to mount at that has got another owner or mode is a change", async () => {
  assertEquals(await mountPointsIn([folder("/run", 0o1777), folder("/dev", 0o755, 101)]), []);
  assertEquals(await mountPointsIn([folder("/run"), folder("/run/secrets", 0o700)]), []);
  const base = [folder("/run", 0o1777), folder("/dev", 0o755, 101), folder("/proc")];
  assertEquals(await mountPointsIn(base, [], base), ["dev", "proc", "run"]);
  assertEquals(await mountPointsIn(base, [], [folder("/run"), folder("/dev")]), []);
  const gone = [file("/.wh.run", 0), file("/dev", 0o644)];
  assertEquals(await mountPointsIn(base, gone, [folder("/run"), folder("/dev")]), ["dev", "run"]);
});
