import { describe, expect, it } from "vitest";
import { routeOf } from "#test/providers/routes.ts";
import { withHedge } from "./hedge.ts";

const [first, second] = [routeOf("first"), routeOf("second")];

/** Starts attempts that end when the test says so. */
function attempts() {
  const started = new Map<
    string,
    { signal: AbortSignal; answer(value: string): void; fail(error: Error): void }
  >();
  const start = ({ provider }: typeof first, signal: AbortSignal) =>
    new Promise<string>((answer, fail) => {
      started.set(provider, { signal, answer, fail });
      signal.addEventListener("abort", () => fail(new Error("aborted")));
    });
  const until = async (provider: string) => {
    while (!started.has(provider)) await new Promise((resolve) => setTimeout(resolve, 1));
    const attempt = started.get(provider);
    if (!attempt) throw new Error("It has not begun");
    return attempt;
  };
  return { start, until, started };
}

const hedged = (
  start: ReturnType<typeof attempts>["start"],
  afterMs: number,
  clientSignal: AbortSignal | null = null,
) => withHedge({ afterMs, first, second, clientSignal, start });

describe("a hedged request", () => {
  it("is sent once where the first answer comes in time", async () => {
    const { start, until, started } = attempts();
    const answer = hedged(start, 60_000);
    (await until("first")).answer("good");
    expect(await answer).toEqual({ value: "good", by: first, lost: null });
    expect(started.has("second")).toBe(false);
  });

  it("takes the first good answer, and ends the other call", async () => {
    const { start, until } = attempts();
    const answer = hedged(start, 1);
    (await until("second")).answer("good");
    expect(await answer).toEqual({ value: "good", by: second, lost: first });
    expect((await until("first")).signal.aborted).toBe(true);
  });

  it("waits for the other one where one fails", async () => {
    const { start, until } = attempts();
    const answer = hedged(start, 1);
    (await until("second")).fail(new Error("broken"));
    (await until("first")).answer("late but good");
    expect(await answer).toEqual({ value: "late but good", by: first, lost: null });
  });

  it("fails at once where the first one does, and with its error where both do", async () => {
    const early = attempts();
    const soon = hedged(early.start, 60_000);
    (await early.until("first")).fail(new Error("first broke"));
    await expect(soon).rejects.toThrow("first broke");
    expect(early.started.has("second")).toBe(false);

    const { start, until } = attempts();
    const both = hedged(start, 1);
    (await until("second")).fail(new Error("second broke"));
    (await until("first")).fail(new Error("first broke"));
    await expect(both).rejects.toThrow("second broke");
  });

  it("ends both calls when the client hangs up", async () => {
    const { start, until } = attempts();
    const client = new AbortController();
    const answer = hedged(start, 1, client.signal);
    const calls = [await until("first"), await until("second")];
    client.abort();
    await expect(answer).rejects.toThrow("aborted");
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  });
});
