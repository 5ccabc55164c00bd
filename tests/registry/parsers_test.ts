import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseChallenges } from "../../lib/registry/challenge.ts";
import { parseRetryAfter, retryAfterIn } from "../../lib/registry/retry_after.ts";
import { Secrets } from "../../lib/registry/secrets.ts";

/** Challenges as plain data. */
function challenges(header: string): [string, Record<string, string>][] {
  return parseChallenges(header).map(({ scheme, params }) => [scheme, Object.fromEntries(params)]);
}

Deno.test("parseChallenges() reads what registries send", () => {
  const docker = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",' +
    'scope="repository:library/node:pull"';
  assertEquals(challenges(docker), [["bearer", {
    realm: "https://auth.docker.io/token",
    service: "registry.docker.io",
    scope: "repository:library/node:pull",
  }]]);
  assertEquals(challenges('Basic realm="a, b", charset="UTF-8"'), [
    ["basic", { realm: "a, b", charset: "UTF-8" }],
  ]);
});

Deno.test("parseChallenges() reads several, in one header or joined", () => {
  assertEquals(challenges('Negotiate, Basic realm=x , Bearer realm = "y\\"z",service='), [
    ["negotiate", {}],
    ["basic", { realm: "x" }],
    ["bearer", { realm: 'y"z', service: "" }],
  ]);
  assertEquals(challenges("Negotiate a87421000492aa874209af8bc028==, Basic"), [
    ["negotiate", {}],
    ["basic", {}],
  ]);
});

Deno.test("parseChallenges() reads values that should have been quoted", () => {
  assertEquals(challenges("Bearer realm=https://a.io/t?x=1,service=a.io"), [
    ["bearer", { realm: "https://a.io/t?x=1", service: "a.io" }],
  ]);
});

Deno.test("parseChallenges() gives back what was written", () => {
  const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const value = fc.string({ unit: fc.constantFrom(...'ab \t,="\\:/é') });
  const challenge = fc.tuple(
    token,
    fc.uniqueArray(fc.tuple(token, value), { selector: ([name]) => name, maxLength: 4 }),
  );
  fc.assert(fc.property(fc.array(challenge, { minLength: 1, maxLength: 3 }), (written) => {
    const text = written.map(([scheme, params]) => {
      const all = params.map(([name, value]) => `${name}="${value.replace(/["\\]/g, "\\$&")}"`);
      return `${scheme} ${all.join(", ")}`.trim();
    });
    assertEquals(
      challenges(text.join(", ")),
      written.map(([scheme, params]) => [scheme, Object.fromEntries(params)]),
    );
  }));
});

Deno.test("parseChallenges() ends on anything, in time in proportion to its length", () => {
  const unit = fc.constantFrom(...'Bb="\\, \tea/', "Bearer ", 'realm="', "\u0000", "é");
  fc.assert(fc.property(fc.string({ unit, maxLength: 300 }), (text) => {
    for (const { scheme } of parseChallenges(text)) assert(/^[^\s,="]+$/.test(scheme), scheme);
  }));
  const long = `Bearer ${"a".repeat(200_000)}, x="${"\\a".repeat(100_000)}`;
  assertEquals(parseChallenges(long)[0]?.scheme, "bearer");
});

const NOW = Date.parse("2026-01-02T03:04:05Z");

Deno.test("parseRetryAfter() reads seconds, dates and durations", () => {
  assertEquals(parseRetryAfter("120", NOW), 120_000);
  assertEquals(parseRetryAfter(" 0 ", NOW), 0);
  assertEquals(parseRetryAfter("1.5", NOW), 1_500);
  assertEquals(parseRetryAfter("Fri, 02 Jan 2026 03:04:35 GMT", NOW), 30_000);
  assertEquals(parseRetryAfter("Fri, 02 Jan 2026 03:00:00 GMT", NOW), 0);
  assertEquals(parseRetryAfter("10.3ms", NOW), 10.3);
  assertEquals(parseRetryAfter("1m30s", NOW), 90_000);
  for (const text of ["", "soon", "-1", "1x", "ms", "2026", "1e9"]) {
    assertEquals(parseRetryAfter(text, NOW), text === "2026" ? 2_026_000 : undefined, text);
  }
});

Deno.test("parseRetryAfter() gives back seconds and dates, and never less than nothing", () => {
  fc.assert(fc.property(fc.nat(1_000_000), (seconds) => {
    assertEquals(parseRetryAfter(String(seconds), NOW), seconds * 1_000);
    const date = new Date(NOW + seconds * 1_000).toUTCString();
    assertEquals(parseRetryAfter(date, NOW), seconds * 1_000);
  }));
  fc.assert(fc.property(fc.string(), (text) => {
    const delay = parseRetryAfter(text, NOW);
    assert(delay === undefined || (Number.isFinite(delay) && delay >= 0), text);
  }));
});

Deno.test("retryAfterIn() finds the delay in GHCR's message", () => {
  const message = '{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 10.3ms, allowed: ' +
    '44000/minute"}]}';
  assertEquals(retryAfterIn(message), 10.3);
  assertEquals(retryAfterIn("Retry after 2s."), 2_000);
  assertEquals(retryAfterIn("please retry-after: 1.5s"), 1_500);
  assertEquals(retryAfterIn("Retry-After: 3"), 3_000);
  assertEquals(retryAfterIn("try again later"), undefined);
});

Deno.test("Secrets hides what was noted, however it is written", () => {
  fc.assert(fc.property(
    fc.string({ minLength: 4, maxLength: 40 }),
    fc.string({ maxLength: 40 }),
    (secret, around) => {
      fc.pre(!around.includes(secret) && secret.trim().length >= 4 && !"***…".includes(secret));
      const secrets = new Secrets();
      secrets.add(secret);
      const encoded = [
        secret,
        encodeURIComponent(secret),
        btoa(unescape(encodeURIComponent(secret))),
      ];
      for (const form of encoded) {
        const clean = secrets.clean(`${around}${form}${around}`);
        assert(!clean.includes(form) || form.replace(/\*/g, "") === "", `${form} in ${clean}`);
      }
    },
  ));
});

Deno.test("Secrets shows one short line, and no query of a URL", () => {
  const secrets = new Secrets();
  assertEquals(
    secrets.clean("at https://u:p@a.io/x?sig=1\n\u001b[31mred\u001b[0m"),
    "at https://a.io/x?… [31mred [0m",
  );
  assertEquals(secrets.clean("x".repeat(5_000)).length, 301);
});
