import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { JobType } from "../job-type.ts";
import { type Candidate, type Choice, chooseJobs } from "./choose-jobs.ts";

const type = (name: string, more: Partial<JobType> = {}): JobType => ({
  name,
  summary: "",
  scope: "jobs",
  input: z.unknown(),
  result: z.json(),
  ...more,
});

let made = 0;
const waiting = (teamId: string, over: Partial<Candidate> = {}): Candidate => ({
  id: `job_${String(++made).padStart(6, "0")}`,
  teamId,
  type: "a",
  priority: 0,
  queuedAt: made,
  inAttempt: false,
  ...over,
});
const many = (count: number, teamId: string, over: Partial<Candidate> = {}) =>
  Array.from({ length: count }, () => waiting(teamId, over));
const choose = (candidates: Candidate[], over: Partial<Choice> = {}) =>
  chooseJobs({
    candidates,
    holdings: [],
    starts: [],
    lastServed: new Map(),
    types: [type("a"), type("b")],
    capacity: 10,
    teamCapacity: 10,
    ...over,
  });
const teams = (candidates: Candidate[]) => candidates.map((job) => job.teamId).join("");

describe("who is let in", () => {
  it("is the team with the fewest running, then the one served longest ago", () => {
    const { admitted } = choose([...many(9, "x"), ...many(2, "y"), ...many(1, "z")], {
      holdings: [{ teamId: "y", type: "a", count: 2 }],
      lastServed: new Map([
        ["x", 7],
        ["z", 3],
      ]),
      capacity: 8,
    });
    expect(teams(admitted)).toBe("zxxyxy"); // x until it is even with y, which was never served; then by turns
  });

  it("is within a team the one of the highest priority, then the oldest, whatever its type", () => {
    const old = waiting("x", { type: "b", queuedAt: 1 });
    const high = waiting("x", { priority: 1, queuedAt: 5 });
    const low = waiting("x", { priority: -1, queuedAt: 0 });
    const young = waiting("x", { queuedAt: 9 });
    expect(choose([young, low, high, old]).admitted).toEqual([high, old, young, low]);
  });

  it("is nobody beyond the capacity of all or of a team", () => {
    expect(choose(many(30, "x"), { capacity: 7 }).admitted).toHaveLength(7);
    expect(choose(many(30, "x"), { teamCapacity: 4 }).admitted).toHaveLength(4);
    const full = { holdings: [{ teamId: "y", type: "b", count: 10 }] };
    expect(choose(many(3, "x"), full).admitted).toEqual([]);
  });

  it("is nobody beyond the limits of a type, while other types and teams go on", () => {
    const types = [type("a", { concurrency: { team: 2, total: 3 } }), type("b")];
    const candidates = [...many(5, "x"), ...many(5, "y"), ...many(2, "x", { type: "b" })];
    const { admitted } = choose(candidates, { types });
    const of = (teamId: string, name: string) =>
      admitted.filter((job) => job.teamId === teamId && job.type === name).length;
    expect(of("x", "a") + of("y", "a")).toBe(3);
    expect(Math.max(of("x", "a"), of("y", "a"))).toBe(2);
    expect(of("x", "b")).toBe(2);
  });

  it("is nobody beyond the rate of a type, of a team or of all; who goes on with an attempt was counted before", () => {
    const rated = (of: "team" | "total") => [type("a", { rate: { max: 3, perSeconds: 60, of } })];
    const candidates = () => [...many(5, "x"), ...many(5, "y"), waiting("x", { inAttempt: true })];
    const all = choose(candidates(), {
      types: rated("total"),
      starts: [{ type: "a", teamId: null, count: 1 }],
    });
    expect(all.admitted.filter((job) => !job.inAttempt)).toHaveLength(2);
    expect(all.held.length).toBeGreaterThan(0);
    const each = choose(candidates(), {
      types: rated("team"),
      starts: [{ type: "a", teamId: "x", count: 3 }],
    });
    expect(each.admitted.filter((job) => !job.inAttempt && job.teamId === "x")).toEqual([]);
    expect(each.admitted.filter((job) => job.teamId === "y")).toHaveLength(3);
  });

  it("is also a job whose type nobody knows: whoever claims it says so", () => {
    expect(choose([waiting("x", { type: "gone" })]).admitted).toHaveLength(1);
  });
});

it("tells since when the first one waits that lacks nothing but capacity", () => {
  const types = [type("a"), type("b", { concurrency: { total: 0 } })];
  const blocked = waiting("x", { type: "b", queuedAt: 1 });
  const { oldestWaiting } = choose(
    [blocked, waiting("x", { queuedAt: 5 }), waiting("y", { queuedAt: 7 })],
    {
      types,
      capacity: 1,
    },
  );
  expect(oldestWaiting).toBe(7);
  expect(choose([blocked], { types }).oldestWaiting).toBe(null);
});

it("serves ten teams by turns when one of them has nearly everything", () => {
  const crowd = many(900, "big");
  const others = Array.from({ length: 9 }, (_, index) => many(11, `small${index}`)).flat();
  let candidates = [...crowd, ...others];
  let served = new Map<string, number>();
  let order = 0;
  const running: Candidate[] = [];
  let started = 0;
  let left = others.length;
  while (left > 0) {
    const { admitted } = choose(candidates, {
      capacity: 20,
      teamCapacity: 20,
      lastServed: served,
      holdings: running.map(({ teamId, type: name }) => ({ teamId, type: name, count: 1 })),
    });
    for (const job of admitted) {
      served = new Map(served).set(job.teamId, ++order);
      if (job.teamId === "big") started += 1;
    }
    candidates = candidates.filter((job) => !admitted.includes(job));
    running.push(...admitted);
    const ended = running.shift();
    if (ended && ended.teamId !== "big") left -= 1;
  }
  expect(started).toBeLessThanOrEqual(45);
});
