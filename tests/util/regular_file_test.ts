import { assertEquals, assertThrows } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { openRegularFile, readRegularFile, readRegularText } from "../../lib/util/regular_file.ts";
import { makeSpecialFiles } from "../support/special_files.ts";

Deno.test("a named pipe and a device are refused before they are opened", async () => {
  const folder = await Deno.makeTempDir({ prefix: "images-test-" });
  try {
    for (const [kind, path] of Object.entries(await makeSpecialFiles(folder))) {
      for (const read of [readRegularFile, readRegularText, openRegularFile]) {
        const fault = assertThrows(
          () => read(path),
          Fault,
          `It is ${kind}, where a file should be`,
        );
        assertEquals([fault.where, fault.next], [
          path,
          "put a regular file in its place, or remove it",
        ]);
      }
    }
    Deno.symlinkSync("/dev/null", `${folder}/empty`);
    assertEquals(readRegularText(`${folder}/empty`), "");
    assertThrows(() => readRegularText(`${folder}/missing`), Deno.errors.NotFound);
    const large = Deno.makeTempFileSync({ dir: folder });
    Deno.truncateSync(large, 2 ** 40);
    assertThrows(() => readRegularText(large), Fault, "which is too many for a text");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
