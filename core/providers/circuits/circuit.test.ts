import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_CIRCUIT } from "../catalog.ts";
import { CircuitBoard, type CircuitStore } from "./circuit-board.ts";
import { routeOf } from "#test/providers/routes.ts";
import { type AttemptOutcome, Circuit, type SharedCircuit } from "./circuit.ts";

const POLICY = { ...DEFAULT_CIRCUIT, minimumRequests: 4 };
const GOOD: AttemptOutcome = { error: null, latencyMs: 100, retryAfterMs: 0 };
const BAD: AttemptOutcome = { error: "provider_error", latencyMs: null, retryAfterMs: 0 };
const GONE: AttemptOutcome = { error: "client_closed", latencyMs: null, retryAfterMs: 0 };

/** A circuit that has just opened, at 0. */
function opened(): Circuit {
  const circuit = new Circuit(POLICY, 0);
  for (let count = 0; count < 4; count++) circuit.leave(circuit.enter(0), BAD, 0);
  return circuit;
}

describe("a circuit", () => {
  it("opens at the error rate, once there were requests enough", () => {
    const circuit = new Circuit(POLICY, 0);
    for (const outcome of [BAD, BAD, GOOD]) {
      circuit.leave(circuit.enter(0), outcome, 0);
      expect(circuit.state(0)).toBe("closed");
    }
    expect(circuit.leave("closed", BAD, 5)).toEqual({
      until: 5 + POLICY.openMs,
      since: 5,
      error: "provider_error",
    });
    expect(circuit.enter(6)).toBe("refused");
  });

  it("forgets what lies further back than its window", () => {
    const circuit = new Circuit(POLICY, 0);
    for (let count = 0; count < 3; count++) circuit.leave("closed", BAD, 0);
    circuit.leave("closed", BAD, POLICY.windowMs * 2);
    expect(circuit.state(POLICY.windowMs * 2)).toBe("closed");
  });

  it("opens at the slow rate, where slow is defined", () => {
    const circuit = new Circuit({ ...POLICY, slowMs: 100 }, 0);
    for (let count = 0; count < 4; count++) circuit.leave("closed", GOOD, 0);
    expect(circuit.state(0)).toBe("open");
    const patient = new Circuit(POLICY, 0);
    for (let count = 0; count < 9; count++) patient.leave("closed", GOOD, 0);
    expect(patient.state(0)).toBe("closed");
  });

  it("closes after three good probes in a row, one at a time", () => {
    const circuit = opened();
    let now = POLICY.openMs;
    for (let probe = 0; probe < 3; probe++) {
      expect(circuit.state(now)).toBe("half_open");
      expect(circuit.enter(now)).toBe("probe");
      expect(circuit.enter(now)).toBe("refused");
      expect(circuit.leave("probe", GOOD, ++now)).toBe(probe < 2 ? undefined : null);
    }
    expect(circuit.enter(now)).toBe("closed");
    expect(circuit.report(now)).toMatchObject({ state: "closed", since: now, requests: 0 });
  });

  it("stays open twice as long after each probe that fails, up to five minutes", () => {
    const circuit = opened();
    let now = POLICY.openMs;
    const lengths: number[] = [];
    for (let probe = 0; probe < 8; probe++) {
      expect(circuit.enter(now)).toBe("probe");
      const { until } = circuit.leave("probe", BAD, now) ?? { until: 0 };
      lengths.push(until - now);
      now = until;
    }
    expect(lengths.slice(0, 5)).toEqual([20_000, 40_000, 80_000, 160_000, 300_000]);
    expect(lengths.at(-1)).toBe(300_000);
  });

  it("learns nothing from a client that hung up, and lets the next one probe", () => {
    const circuit = opened();
    const now = POLICY.openMs;
    expect(circuit.enter(now)).toBe("probe");
    expect(circuit.leave("probe", GONE, now)).toBeUndefined();
    expect(circuit.enter(now)).toBe("probe");
  });

  it("is avoided for as long as the provider asked, at most a minute, and is not open for it", () => {
    const circuit = new Circuit(POLICY, 0);
    circuit.leave("closed", { ...BAD, retryAfterMs: 7_000 }, 0);
    expect([circuit.avoided(6_999), circuit.avoided(7_000)]).toEqual([true, false]);
    circuit.leave("closed", { ...BAD, retryAfterMs: 3_600_000 }, 10_000);
    expect([circuit.avoided(69_999), circuit.avoided(70_000)]).toEqual([true, false]);
    expect(circuit.state(10_000)).toBe("closed");
  });

  it("never lets more than one probe run at a time, nor one before its time", () => {
    const step = fc.record({
      wait: fc.integer({ min: 0, max: 30_000 }),
      act: fc.constantFrom("enter", "good", "bad", "gone"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const circuit = opened();
        let now = 0;
        let openUntil = POLICY.openMs;
        let probes: number[] = [];
        for (const { wait, act } of steps) {
          now += wait;
          probes = probes.filter((since) => now - since < 120_000);
          if (act === "enter") {
            const pass = circuit.enter(now);
            if (pass === "closed") return; // it is well again
            if (pass === "refused") continue;
            expect(now).toBeGreaterThanOrEqual(openUntil);
            probes.push(now);
            expect(probes).toHaveLength(1);
          } else if (probes.pop() !== undefined) {
            const outcome = { good: GOOD, bad: BAD, gone: GONE }[act];
            openUntil = circuit.leave("probe", outcome, now)?.until ?? openUntil;
          }
        }
      }),
    );
  });
});

/** A store that two isolates share. */
function sharedStore() {
  const all: Record<string, SharedCircuit> = {};
  let alive = true;
  const store: CircuitStore = {
    readAll: () => Promise.resolve(alive ? { ...all } : null),
    write: (name, shared) => {
      if (!alive) return Promise.reject(new Error("The cache is gone"));
      if (shared) all[name] = shared;
      else delete all[name];
      return Promise.resolve();
    },
  };
  return { store, die: () => (alive = false) };
}

describe("isolates that share a store", () => {
  const target = routeOf("acme", { patience: { ...routeOf("acme").patience, circuit: POLICY } });
  const fail = (board: CircuitBoard, now: number) => {
    for (let count = 0; count < 4; count++) board.leave(target, "closed", BAD, now);
  };

  it("learn of each other's open circuits, and of their end", async () => {
    const { store } = sharedStore();
    const [one, other] = [new CircuitBoard(), new CircuitBoard()];
    fail(one, 1_000);
    await one.sync(store, () => 1_000);
    await other.sync(store, () => 1_500);
    expect(other.standing(target, 1_500).open).toBe(true);
    for (let now = 11_000; now < 11_003; now++) {
      expect(one.enter(target, now)).toBe("probe");
      one.leave(target, "probe", GOOD, now);
    }
    await one.sync(store, () => 11_003);
    await other.sync(store, () => 11_004);
    expect(other.enter(target, 11_005)).toBe("closed");
  });

  it("ask it once a second at most", async () => {
    const { store } = sharedStore();
    const board = new CircuitBoard();
    expect(board.sync(store, () => 10_000)).not.toBeNull();
    expect(board.sync(store, () => 10_500)).toBeNull(); // the first one is still under way
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(board.sync(store, () => 10_999)).toBeNull();
    expect(board.sync(store, () => 11_000)).not.toBeNull();
  });

  it("go on by themselves when it is gone", async () => {
    const { store, die } = sharedStore();
    const board = new CircuitBoard();
    die();
    fail(board, 1_000);
    await board.sync(store, () => 1_000);
    await board.sync(store, () => 9_000);
    expect(board.standing(target, 9_000).open).toBe(true);
    expect(board.enter(target, 11_000)).toBe("probe");
  });
});
