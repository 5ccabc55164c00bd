import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { removeLeftovers, TemporaryFile, TemporaryFolder } from "../../lib/util/temporary.ts";

const UUID = "01234567-89ab-cdef-0123-456789abcdef";

async function withFolder(work: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "images-test-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("a temporary file is removed unless it is moved into place", () =>
  withFolder((folder) => {
    {
      using dropped = TemporaryFile.create(`${folder}/blob`);
      dropped.write(new Uint8Array(3));
      assertMatch(dropped.path, /\/blob\.[0-9a-f]{8}-[-0-9a-f]{36}\.tmp$/);
      using other = TemporaryFile.create(`${folder}/blob`);
      assertNotEquals(other.path, dropped.path);
      other.write(new TextEncoder().encode("whole"));
      other.moveTo(`${folder}/blob`);
    }
    assertEquals(namesIn(folder), ["blob"]);
    assertEquals(Deno.readTextFileSync(`${folder}/blob`), "whole");
  }));

Deno.test("what a process holds is no leftover, and what none holds is removed with its content", () =>
  withFolder(async (folder) => {
    using file = TemporaryFile.create(`${folder}/blob`);
    await using build = TemporaryFolder.create(`${folder}/build`);
    Deno.writeTextFileSync(`${build.path}/inside`, "");
    // Named on this kernel, as a process that was killed leaves them.
    Deno.writeTextFileSync(file.path.replace("/blob", "/killed"), "");
    const killed = build.path.replace("/build", "/killed-build");
    Deno.mkdirSync(`${killed}/a/b`, { recursive: true });
    removeLeftovers(folder);
    const left = [file, build].map(({ path }) => path.slice(folder.length + 1)).sort();
    assertEquals(namesIn(folder), left);
    assertEquals(namesIn(build.path), ["inside"]);
  }));

Deno.test("what another kernel made is a leftover when nothing in it has changed for a day", () =>
  withFolder((folder) => {
    for (const name of ["fresh", "old", "old-but-busy"]) {
      Deno.mkdirSync(`${folder}/${name}.00000000-${UUID}.tmp/below`, { recursive: true });
    }
    Deno.writeTextFileSync(`${folder}/blob.00000000-${UUID}.tmp`, "");
    const old = Date.now() / 1000 - 90_000;
    for (const path of ["old", "old-but-busy"]) {
      const made = `${folder}/${path}.00000000-${UUID}.tmp`;
      if (path === "old") Deno.utimeSync(`${made}/below`, old, old);
      Deno.utimeSync(made, old, old);
    }
    removeLeftovers(folder);
    assertEquals(namesIn(folder).map((name) => name.split(".")[0]), [
      ...["blob", "fresh", "old-but-busy"],
    ]);
  }));

Deno.test("files of others, links and pipes are left alone", () =>
  withFolder(async (folder) => {
    using file = TemporaryFile.create(`${folder}/x`);
    const ending = file.path.slice(`${folder}/x`.length);
    Deno.writeTextFileSync(`${folder}/mine.tmp`, "");
    Deno.writeTextFileSync(`${folder}/mine${ending}.kept`, "");
    Deno.writeTextFileSync(`${folder}/target`, "");
    Deno.symlinkSync("target", `${folder}/link${ending}`);
    const { success } = await new Deno.Command("mkfifo", { args: [`${folder}/pipe${ending}`] })
      .output();
    assert(success);
    const before = namesIn(folder);
    removeLeftovers(folder);
    removeLeftovers(`${folder}/not-there`);
    assertEquals(namesIn(folder), before);
  }));
