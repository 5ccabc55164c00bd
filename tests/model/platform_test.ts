import { assertEquals, assertThrows } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { compatiblePlatforms, formatPlatform, parsePlatform } from "../../lib/model/platform.ts";

Deno.test("parsePlatform() normalises as container tools do", () => {
  const cases: [text: string, normal: string][] = [
    ["linux/x86_64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v3", "linux/amd64/v3"],
    ["Linux/AARCH64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/arm64/8", "linux/arm64"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/7", "linux/arm/v7"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["linux/i386", "linux/386"],
    ["linux/riscv64", "linux/riscv64"],
    ["linux/constructor", "linux/constructor"],
  ];
  for (const [text, normal] of cases) assertEquals(formatPlatform(parsePlatform(text)), normal);
  for (
    const text of ["", "linux", "linux/", "linux/arm/", "linux/arm/v7/x", "a b/c", "linux/arm/$"]
  ) {
    assertThrows(() => parsePlatform(text), Fault);
  }
});

Deno.test("compatiblePlatforms() goes down the variants of one architecture", () => {
  assertEquals(compatiblePlatforms("linux/arm/v7"), [
    "linux/arm/v7",
    "linux/arm/v6",
    "linux/arm/v5",
  ]);
  assertEquals(compatiblePlatforms("linux/amd64/v3"), [
    "linux/amd64/v3",
    "linux/amd64/v2",
    "linux/amd64",
  ]);
  for (const text of ["linux/amd64", "linux/arm64", "windows/amd64", "linux/s390x"]) {
    assertEquals(compatiblePlatforms(text), [text]);
  }
});
