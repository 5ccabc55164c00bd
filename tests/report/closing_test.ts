import { assertEquals } from "@std/assert";
import type { ImageResult, ResultDocument } from "../../lib/model/result.ts";
import { Board } from "../../lib/report/board.ts";
import { closing } from "../../lib/report/closing.ts";
import { paletteFor } from "../../lib/report/palette.ts";

/** The lines that end a run of these images. */
function lines(images: readonly Partial<ImageResult>[], status = 0): string[] {
  const document = {
    schema: 1,
    command: "push",
    ok: status === 0,
    images: images.map((image) => ({ platform: "linux/amd64", reasons: [], ...image })),
    tasks: [],
    totals: {},
    ms: 1_234,
  } as unknown as ResultDocument;
  const event = { kind: "ended", at: 0, document, status, saved: 5_000 } as const;
  return closing(event, new Board(), paletteFor(false));
}

const AT = { registry: "local", digest: `sha256:${"1".repeat(64)}` } as const;

Deno.test("closing() of a dry run says what would be, and that nothing was done", () => {
  const destinations = [
    { ...AT, reference: "localhost:5000/a:content-1", status: "pushed" },
    { ...AT, reference: "localhost:5000/a:latest", status: "retagged" },
  ] as const;
  const later = [{ ...AT, reference: "localhost:5000/b", status: "pushed" }] as const;
  assertEquals(
    lines([
      { name: "a", verdict: "build", destinations },
      { name: "b", verdict: "unknown", destinations: later },
      { name: "c", verdict: "current" },
    ]),
    [
      "local would have 2 pushed; tags: 1 retagged",
      "dry run: 1 to build, 1 unknown, 1 current; nothing was done",
    ],
  );
});

Deno.test("closing() tells what there was nothing to do for, and what it saved", () => {
  assertEquals(lines([{ name: "a", status: "cached" }]), [
    "up to date: 1 cached in 1.2 s (5.0 s saved)",
  ]);
});

Deno.test("closing() gathers what was not tried for the same reason, with what to do", () => {
  const error = { message: "This machine has no nix", next: "install nix" };
  const names = Array.from({ length: 10 }, (_, at) => `image-${at}`);
  const images = names.map((name) => ({ name, status: "unavailable" as const, error }));
  assertEquals(lines(images, 3), [
    `unavailable ${names.slice(0, 8).join(", ")} and 2 more: This machine has no nix: install nix`,
    "failed: 10 unavailable in 1.2 s (5.0 s saved)",
  ]);
});

Deno.test("closing() names the place that keeps an image from being tried, and no image twice", () => {
  const status = "unavailable" as const;
  const error = { message: "RUN needs an engine", where: "a/Dockerfile:2:1", next: "install one" };
  const own = { message: "It has no tool", where: "c" };
  const images = [
    { name: "a", status, error },
    { name: "b", status, error: { ...error, where: "b/Dockerfile:7:1" } },
    { name: "c", status, error: own },
  ];
  assertEquals(lines(images, 3).slice(0, 3), [
    "unavailable a: a/Dockerfile:2:1: RUN needs an engine: install one",
    "unavailable b: b/Dockerfile:7:1: RUN needs an engine: install one",
    "unavailable c: It has no tool",
  ]);
});

Deno.test("closing() tells a failure of each platform, and none of the index over them", () => {
  const error = { message: "There is nothing at site" };
  const images = ["linux/amd64", "linux/arm64", "index"].map((platform) => (
    { name: "a", platform, status: "failed" as const, error }
  ));
  assertEquals(lines(images, 1), [
    "failed a@linux/amd64: There is nothing at site",
    "failed a@linux/arm64: There is nothing at site",
    "failed: 2 failed in 1.2 s (5.0 s saved)",
  ]);
  const skipped = images.map((each) => ({ ...each, status: "skipped" as const }));
  assertEquals(
    lines(skipped, 1)[0],
    "skipped a@linux/amd64, a@linux/arm64: There is nothing at site",
  );
});
