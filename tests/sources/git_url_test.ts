/** Git URLs: what is one, and what stands in it. */

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { GitUrlError, isGitUrl, parseGitUrl } from "../../plugins/dockerfile/plan/git_url.ts";

Deno.test("isGitUrl() knows repositories from files", () => {
  const repositories = [
    "https://example.org/x.git",
    "http://example.org/x.git#main:sub",
    "https://example.org/x.git?ref=main",
    "git@example.org:x/y",
    "git@example.org:x/y.git#v1",
    "ssh://git@example.org/x",
    "git://example.org/x",
  ];
  const others = [
    "https://example.org/x.tar.gz",
    "https://example.org/x#.git",
    "https://example.org/x?f=.git",
    "https://example.org/x.gitx",
    "file.git",
    "./git@example.org:x",
    "ftp://example.org/x.git",
  ];
  for (const url of repositories) assertEquals(isGitUrl(url), true, url);
  for (const url of others) assertEquals(isGitUrl(url), false, url);
});

Deno.test("parseGitUrl() reads fragment and query alike", () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9/._-]{0,20}$/);
  const url = "https://example.org/x.git";
  fc.assert(fc.property(fc.option(name), fc.option(name), (ref, subdir) => {
    const wanted = {
      url,
      ...(ref === null ? {} : { ref }),
      ...(subdir === null ? {} : { subdir }),
    };
    assertEquals(parseGitUrl(`${url}#${ref ?? ""}${subdir === null ? "" : `:${subdir}`}`), wanted);
    const query = new URLSearchParams(
      Object.entries({ ref, subdir }).filter(([, value]) => value !== null) as [string, string][],
    );
    assertEquals(parseGitUrl(`${url}?${query}`), wanted);
  }));
});

Deno.test("parseGitUrl() refuses what contradicts itself, and anything else never hangs", () => {
  const url = "https://example.org/x.git";
  for (
    const rest of [
      "?ref=a#b",
      "?ref=a&tag=b",
      "?ref=a&ref=b",
      "?checksum=1234567&commit=7654321",
      "?reef=a",
      "?submodules=maybe",
    ]
  ) assertThrows(() => parseGitUrl(url + rest), GitUrlError);
  fc.assert(fc.property(fc.string(), (text) => {
    isGitUrl(text);
    try {
      parseGitUrl(text);
    } catch (error) {
      if (!(error instanceof GitUrlError)) throw error;
    }
  }));
});
