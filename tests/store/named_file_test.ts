/** What becomes of what is at a path that somebody names. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { digestOfHex } from "../../lib/model/digest.ts";
import { Fault } from "../../lib/model/errors.ts";
import { Pins } from "../../lib/store/pins.ts";
import { writeNamed } from "../../lib/store/named_file.ts";
import { toolTest } from "../support/tools.ts";

const PAGE = new TextEncoder().encode("page\n");

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "images-named-" }));
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

toolTest(["mkfifo"], "a pipe is written to, and stays one", () =>
  inFolder(async (folder) => {
    const pipe = `${folder}/pipe`;
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const [text] = await Promise.all([Deno.readTextFile(pipe), writeNamed(pipe, [PAGE])]);
    assertEquals(text, "page\n");
    assert(Deno.lstatSync(pipe).isFifo);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["pipe"]);
  }));

Deno.test("what a link leads to is written, whether it is there or not", () =>
  inFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/kept`);
    Deno.writeTextFileSync(`${folder}/kept/old`, "a longer text than that of the page");
    for (const name of ["old", "new"]) {
      const link = `${folder}/${name}`;
      Deno.symlinkSync(`kept/${name}`, link);
      await writeNamed(link, [PAGE]);
      assert(Deno.lstatSync(link).isSymlink);
      assertEquals(Deno.readTextFileSync(`${folder}/kept/${name}`), "page\n");
    }
  }));

Deno.test("a folder is no place for a file, and one that is missing neither", () =>
  inFolder(async (folder) => {
    for (const path of [folder, `${folder}/missing/page`]) {
      assert((await assertRejects(() => writeNamed(path, [PAGE]), Fault)).next !== undefined);
    }
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("images.lock may be a link", () =>
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/project`);
    Deno.writeTextFileSync(`${folder}/pins.json`, "{}");
    Deno.symlinkSync("../pins.json", `${folder}/project/images.lock`);
    const pins = new Map([["a:1", digestOfHex("0".repeat(64))]]);
    new Pins(pins).write(`${folder}/project`);
    assert(Deno.lstatSync(`${folder}/project/images.lock`).isSymlink);
    assertEquals(Pins.read(`${folder}/project`).digests.size, 1);
    return Promise.resolve();
  }));

Deno.test("images.lock pins nothing but references", () =>
  inFolder((folder) => {
    const bases = { "gcr?.io/x/app:1": `sha256:${"0".repeat(64)}` };
    Deno.writeTextFileSync(`${folder}/images.lock`, JSON.stringify({ schema: 1, bases }));
    const fault = assertThrows(() => Pins.read(folder), Fault);
    assertStringIncludes(fault.message, '"gcr?.io/x/app:1" is no image reference');
    return Promise.resolve();
  }));

Deno.test("what is written to /dev/stdout is appended where the output is", async () => {
  const folder = await Deno.makeTempDir({ prefix: "images-test-" });
  try {
    const module = new URL("../../lib/store/named_file.ts", import.meta.url).href;
    const script = `import { writeNamed } from "${module}";
      await writeNamed("/dev/stdout", [new TextEncoder().encode("more")]);`;
    Deno.writeTextFileSync(`${folder}/write.ts`, script);
    Deno.writeTextFileSync(`${folder}/out`, "before ");
    const command = `"$1" run -A -q "$2/write.ts" >> "$2/out"`;
    const args = ["-c", command, "sh", Deno.execPath(), folder];
    const { success } = await new Deno.Command("sh", { args }).output();
    assertEquals([success, Deno.readTextFileSync(`${folder}/out`)], [true, "before more"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
