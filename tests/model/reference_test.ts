import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Fault } from "../../lib/model/errors.ts";
import { formatReference, isReference, parseReference } from "../../lib/model/reference.ts";

const HEX = "0123456789abcdef".repeat(4);

Deno.test("parseReference() reads what distribution's reference package reads", () => {
  const cases: [text: string, full: string][] = [
    ["node", "docker.io/library/node"],
    ["node:20", "docker.io/library/node:20"],
    ["org/app", "docker.io/org/app"],
    ["index.docker.io/app", "docker.io/library/app"],
    ["docker.io/app", "docker.io/library/app"],
    ["localhost/app", "localhost/app"],
    ["localhost:5000", "docker.io/library/localhost:5000"],
    ["localhost:5000/app:1", "localhost:5000/app:1"],
    ["127.0.0.1:5000/app", "127.0.0.1:5000/app"],
    ["[2001:db8::1]:5000/app", "[2001:db8::1]:5000/app"],
    ["[2001:db8::1]/app", "[2001:db8::1]/app"],
    ["xn--n3h.com/app:x", "xn--n3h.com/app:x"],
    ["Reg.Example/a/b", "Reg.Example/a/b"],
    ["a.example/a__b/c-_d".replace("-_", "--"), "a.example/a__b/c--d"],
    ["a.example/a.b_c", "a.example/a.b_c"],
    [`a.example/x:${"t".repeat(128)}`, `a.example/x:${"t".repeat(128)}`],
    [`a.example/x:1@sha256:${HEX}`, `a.example/x:1@sha256:${HEX}`],
    [`a.example/${"x".repeat(255)}`, `a.example/${"x".repeat(255)}`],
  ];
  for (const [text, full] of cases) assertEquals(formatReference(parseReference(text)), full);
});

Deno.test("parseReference() says which part of a reference is wrong", () => {
  const cases: [text: string, words: string][] = [
    ["shop.example:http/app", '"shop.example:http" is no host'],
    ["[fe80::1%eth0]:5000/app", '"[fe80::1%eth0]:5000" is no host'],
    ["[::::]/app", "is no host"],
    ["[2001:db8::1/app", "is no host"],
    ["2001:db8::1/app", "is no host"],
    ["a.example:99999/app", "up to 65535"],
    ["a.example:0/app", "is no host"],
    ["a.example:/app", "is no host"],
    ["gcr?.io/x/app", "is no host"],
    ["gcr#.io/x/app", "is no host"],
    ["user@a.example/app", "lower case"],
    ["https://a.example/app", "is no host"],
    ["-shop.example/app", "is no host"],
    ["shop-.example/app", "is no host"],
    ["do..cker/app", "is no host"],
    [".example/app", "is no host"],
    ["shop.example./app", "is no host"],
    ["my_registry:5000/app", "is no host"],
    ["1.2/app", "is no host"],
    ["0x7f.1/app", "is no host"],
    ["256.256.256.256/app", "is no host"],
    [`${"a.".repeat(150)}example/app`, "is no host"],
    ["do..cker", "lower case"],
    ["Org/App", 'name to "org/app"'],
    ["a.example/Org/app", 'name to "org/app"'],
    ["a//b", "lower case"],
    ["/a", "lower case"],
    ["a/", "lower case"],
    ["a.example/", "lower case"],
    ["a.example/a___b", "lower case"],
    ["a.example/a._b", "lower case"],
    ["a.example/-a", "lower case"],
    ["a.example/a b", "lower case"],
    ["", "lower case"],
    [HEX, "an image's ID"],
    [`a.example/${"x".repeat(256)}`, "more than 255"],
    ["a:", 'tag ""'],
    ["a:-x", 'tag "-x"'],
    ["a:b:c", "lower case"],
    [`a:${"t".repeat(129)}`, "128"],
    ["a@", "correct the digest"],
    [`a@sha256:${HEX.toUpperCase()}`, "in lower case"],
    [`a@sha256:${HEX.slice(1)}`, "64 hexadecimal"],
    [`a@sha512:${HEX}${HEX}`, "only that is supported"],
    [`a@sha256:${HEX}@sha256:${HEX}`, "correct the digest"],
  ];
  for (const [text, words] of cases) {
    const fault = assertThrows(() => parseReference(text), Fault);
    assertStringIncludes(fault.message, `"${text}"`);
    assertStringIncludes(fault.next ?? "", words, text);
    assertEquals(fault.exitStatus, 2);
  }
});

Deno.test("what is a reference becomes the URL of no other host", () => {
  const text = fc.string({ unit: fc.constantFrom(..."aZ09.-_:/[]@%?#\\ \u00e9"), maxLength: 30 });
  fc.assert(
    fc.property(text, (text) => {
      if (!isReference(text)) return;
      const { host, repository } = parseReference(text);
      const url = new URL(`https://${host}/v2/${repository}/manifests/x`);
      assertEquals(url.pathname, `/v2/${repository}/manifests/x`);
      if (!host.startsWith("[")) {
        assertEquals(url.hostname, host.replace(/:[0-9]+$/, "").toLowerCase());
      }
      assertEquals(isReference(formatReference({ host, repository })), true);
    }),
    { numRuns: 2000 },
  );
});
