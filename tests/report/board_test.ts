import { assertEquals } from "@std/assert";
import type { RunEvent } from "../../lib/model/events.ts";
import type { Progress } from "../../lib/model/plugin.ts";
import { Board } from "../../lib/report/board.ts";
import { frame } from "../../lib/report/frame.ts";
import { paletteFor } from "../../lib/report/palette.ts";

/** A board of two images after these events; each happens 100 ms after the one before. */
function boardAfter(...events: readonly Untimed<RunEvent>[]): Board {
  const board = new Board();
  const nodes = ["app", "web"].map((id) => ({ id, type: "image" as const, needs: [] }));
  const all = [{ kind: "began" as const, command: "build", nodes }, ...events];
  all.forEach((event, at) => board.apply({ ...event, at: at * 100 }));
  return board;
}

type Untimed<T> = T extends unknown ? Omit<T, "at"> : never;

function progress(id: string, of: Progress) {
  return { kind: "progress" as const, id, progress: of };
}

function bytes(phase: string, done: number, total: number): Progress {
  return { phase, done, total, unit: "bytes" };
}

const STARTED = { kind: "started", id: "app", phase: "building" } as const;

/** The lines of a frame without mark and time. */
function lines(board: Board): string[] {
  const moment = { columns: 80, rows: 24, now: 1_000, tick: 0 };
  return frame(board, moment, paletteFor(false))
    .map((line) => line.replace(/^\S /, "").replace(/ +\d+ ms|, \d+\.\d s$/g, ""));
}

Deno.test("Board shows what is only looked at as long as that takes", async (t) => {
  const looking = [progress("app", bytes("hashing", 64e6, 200e6))];

  await t.step("with how far it is", () => {
    assertEquals(lines(boardAfter(...looking)), [
      "app  hashing  64.0/200.0 MB",
      "[0/2] 1 running, 1 waiting",
    ]);
  });

  await t.step("and no longer", () => {
    const board = boardAfter(...looking, progress("app", bytes("hashing", 200e6, 200e6)));
    assertEquals(lines(board), ["[0/2] 0 running, 2 waiting"]);
    assertEquals(board.worked, false);
  });

  await t.step("what was begun stays when a transfer is complete", () => {
    const board = boardAfter(
      ...looking,
      STARTED,
      progress("app", { phase: "pulling" }),
      progress("app", bytes("pulling", 5e6, 5e6)),
    );
    assertEquals(lines(board), ["app  pulling  5.0/5.0 MB", "[0/2] 1 running, 1 waiting"]);
  });
});

Deno.test("Board takes a step for what is being done, and bytes for a part of it", () => {
  const board = boardAfter(
    STARTED,
    progress("app", { phase: "layer", done: 2, total: 3, unit: "steps" }),
    progress("app", bytes("writing", 1e6, 9e6)),
  );
  assertEquals(lines(board), [
    "app  layer 2/3  writing 1.0/9.0 MB",
    "[0/2] 1 running, 1 waiting",
  ]);
  const { running: [activity] } = board;
  assertEquals(activity?.since, 100);
});

Deno.test("Board knows the rate of bytes once there is something to go by", () => {
  const steps = [1, 2, 3, 4, 5, 6].map((at) => progress("app", bytes("pulling", at * 1e6, 9e6)));
  const { running: [activity] } = boardAfter(STARTED, ...steps);
  assertEquals(activity?.transfer, { phase: "pulling", done: 6e6, total: 9e6, rate: 1e7 });
  const again = boardAfter(STARTED, ...steps, progress("app", bytes("writing", 1e6, 2e6)));
  assertEquals(again.running[0]?.transfer, { phase: "writing", done: 1e6, total: 2e6 });
});

Deno.test("Board ends what is loaded, and what is published on all its platforms", () => {
  const loading = { kind: "started", id: "app", phase: "loading" } as const;
  const loaded = { kind: "loaded", id: "app", engine: "podman", tag: "app:latest" } as const;
  assertEquals(boardAfter(loading, loaded).running, []);
  const uploads = ["web@linux/amd64", "web@linux/arm64"].map((id) =>
    progress(id, { phase: "uploading", done: 7, unit: "bytes" })
  );
  const board = boardAfter(...uploads, { kind: "published", id: "web", destinations: [] });
  assertEquals([board.running, board.uploaded], [[], 14]);
});

Deno.test("Board counts what was published as work only where a registry is another now", () => {
  const publishing = { kind: "started", id: "web", phase: "publishing" } as const;
  const at = (status: "current" | "pushed") => ({
    kind: "published" as const,
    id: "web",
    destinations: [{ registry: "r", reference: "r/web:latest", status }],
  });
  assertEquals(boardAfter(publishing, at("current")).worked, false);
  assertEquals(boardAfter(publishing, at("pushed")).worked, true);
});
