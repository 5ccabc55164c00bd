/** Work that several images wait for, of which each may give up. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import type { BuildRequest } from "../../lib/model/plugin.ts";
import { allAborted, together } from "../../lib/model/together.ts";
import { SharedWork } from "../../lib/run/shared_work.ts";

const over = (name: string) => new Fault(`${name} is out of time`);

Deno.test("once(): who gives up fails alone, at once, and the others get the value", async () => {
  const shared = new SharedWork();
  const [slow, fast] = [new AbortController(), new AbortController()];
  const value = Promise.withResolvers<string>();
  const signals: AbortSignal[] = [];
  const make = (signal: AbortSignal) => {
    signals.push(signal);
    return value.promise;
  };
  const first = shared.once("probe", slow.signal, make);
  const second = shared.once("probe", fast.signal, make);
  slow.abort(over("slow"));
  await assertRejects(() => first, Fault, "slow is out of time");
  assertEquals(signals.map(({ aborted }) => aborted), [false]);
  value.resolve("answer");
  assertEquals(await second, "answer");
  await assertRejects(() => shared.once("probe", slow.signal, make), Fault, "slow is out of time");
  assertEquals(await shared.once("probe", fast.signal, make), "answer");
  assertEquals(signals.length, 1);
});

Deno.test("once(): what nobody waits for is ended, and made anew for who asks later", async () => {
  const shared = new SharedWork();
  const all = [new AbortController(), new AbortController()];
  const ended: unknown[] = [];
  const waiting = all.map(({ signal }) =>
    shared.once(
      "probe",
      signal,
      (signal) =>
        new Promise<string>((_, reject) =>
          signal.addEventListener("abort", () => {
            ended.push(signal.reason);
            reject(signal.reason);
          })
        ),
    )
  );
  all[0]!.abort(over("one"));
  await assertRejects(() => waiting[0]!, Fault, "one is out of time");
  assertEquals(ended, []);
  const last = over("two");
  all[1]!.abort(last);
  await assertRejects(() => waiting[1]!, Fault, "two is out of time");
  assertEquals(ended, [last]);
  const { signal } = new AbortController();
  assertEquals(await shared.once("probe", signal, () => Promise.resolve("again")), "again");
});

Deno.test("once(): a failure of the work itself is everybody's, and is not tried again", async () => {
  const shared = new SharedWork();
  const { signal } = new AbortController();
  let tries = 0;
  const make = () => {
    tries += 1;
    return Promise.reject(new Fault("no answer"));
  };
  for (const _ of [1, 2]) {
    await assertRejects(() => shared.once("probe", signal, make), Fault, "no answer");
  }
  assertEquals(tries, 1);
});

function asking(name: string) {
  const limit = new AbortController();
  const request = { context: { name, signal: limit.signal } } as unknown as BuildRequest;
  return { request, name, limit };
}

Deno.test("together(): an image whose time is over is left out, and the others are asked for again", async () => {
  const all = ["one", "slow", "two"].map(asking);
  const asked: string[][] = [];
  const answers = await together(all, async (open, signal) => {
    asked.push(open.map(({ name }) => name));
    const slow = open.find(({ name }) => name === "slow");
    slow?.limit.abort(over("slow"));
    await Promise.resolve();
    signal.throwIfAborted();
    return new Map(open.map((each) => [each, each.name]));
  });
  assertEquals(asked, [["one", "slow", "two"], ["one", "two"]]);
  const [one, slow, two] = answers;
  assertEquals([one, two], ["one", "two"]);
  assert(slow instanceof Fault);
  assertEquals(slow.message, "slow is out of time");
});

Deno.test("together(): what has no answer yet is asked for again; an error is everybody's", async () => {
  const all = ["one", "two", "three"].map(asking);
  const answers = await together(all, (open) => {
    const [first] = open;
    if (first!.name !== "one") return Promise.reject(new Error("broken"));
    return Promise.resolve(new Map([[first!, "done"]]));
  });
  assertEquals(answers[0], "done");
  assertEquals(answers.slice(1).map((each) => each instanceof Fault && each.message), [
    "broken",
    "broken",
  ]);
});

Deno.test("allAborted() waits for the last", () => {
  const all = [new AbortController(), new AbortController()];
  const signal = allAborted(all.map((each) => each.signal));
  all[1]!.abort("second");
  assertEquals(signal.aborted, false);
  all[0]!.abort("first");
  assertEquals([signal.aborted, signal.reason], [true, "first"]);
  assert(allAborted([AbortSignal.abort("gone")]).aborted);
});
