import { assertEquals, assertThrows } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { bytesOf, pathOf } from "../../plugins/nix2container/byte_paths.ts";
import { compileGoRegexp } from "../../plugins/nix2container/go_regexp.ts";
import table from "../fixtures/nix2container/go_regexp.json" with { type: "json" };

Deno.test("expressions match and replace as Go's do, on bytes", () => {
  for (const [regex, replacement, path, expected] of table as [string, string, string, string?][]) {
    if (expected === null) {
      assertThrows(() => compileGoRegexp(regex, "test"), Fault, regex);
      continue;
    }
    const source = pathOf(Uint8Array.fromBase64(path));
    const result = compileGoRegexp(regex, "test").replaceAll(source, replacement);
    assertEquals([regex, replacement, path, bytesOf(result).toBase64()], [
      regex,
      replacement,
      path,
      expected,
    ]);
  }
});
