import { describe, expect, it } from "vitest";
import { type Grant, NO_AMOUNTS, type Want } from "./lease.ts";
import { LeaseDesk } from "./lease-desk.ts";

const want: Want = {
  combination: { keyId: null, model: null, endUser: null },
  need: { ...NO_AMOUNTS, requests: 1 },
  target: { ...NO_AMOUNTS, requests: 5 },
};

describe("a lease that comes after it was given up", () => {
  it("is handed back whole, so that nobody is charged for it", () => {
    const desk = new LeaseDesk();
    const amounts = { ...NO_AMOUNTS, requests: 5, micros: 900 };
    const late: Grant = { kind: "lease", id: "lease_1", amounts, lifeMs: 1_000, states: [] };
    desk.takeLate("team_1", [want], [late], 50_000);
    expect(desk.owesWord("team_1")).toBe(true);
    const log = desk.log("team_1", 50_000);
    const nothingKept = { keep: NO_AMOUNTS, running: 0, deadlineMs: 0 };
    expect(log?.entries).toEqual([{ kind: "close", lease: "lease_1", ...nothingKept }]);
  });

  it("is nothing where the Meter had refused it", () => {
    const desk = new LeaseDesk();
    desk.takeLate("team_1", [want], [{ kind: "unlimited" }], 50_000);
    expect(desk.owesWord("team_1")).toBe(false);
    expect(desk.log("team_1", 50_000)).toBeNull();
  });
});
