import type { JobType } from "../job-type.ts";

/** A job that could be let in. */
export interface Candidate {
  id: string;
  teamId: string;
  type: string;
  priority: number;
  /** Milliseconds since 1970. */
  queuedAt: number;
  /** Whether it goes on with an attempt, which a rate has counted before. */
  inAttempt: boolean;
}

/** What holds a part of the capacity. */
export interface Holding {
  teamId: string;
  type: string;
  count: number;
}

/** Starts within the time of a type's rate. */
export interface Starts {
  type: string;
  /** Null where the rate is of all teams together. */
  teamId: string | null;
  count: number;
}

export interface Choice {
  candidates: readonly Candidate[];
  holdings: readonly Holding[];
  starts: readonly Starts[];
  /** For each team the number of the job of it that was let in last; none: it was never served. */
  lastServed: ReadonlyMap<string, number>;
  types: readonly JobType[];
  capacity: number;
  teamCapacity: number;
}

export interface Chosen {
  /** In the order in which they are let in. */
  admitted: Candidate[];
  /** Held back by the rate of their type. */
  held: Candidate[];
  /** Since when the first one waits that lacks nothing but capacity of all; milliseconds since 1970. */
  oldestWaiting: number | null;
}

/**
 * Who is let in. The team with the fewest running jobs comes first, of several the one that was served longest ago;
 * within a team priority, then age. Limits of types and teams hold back their own jobs and nobody else's.
 */
export function chooseJobs(choice: Choice): Chosen {
  const gate = new Gate(choice);
  const lanes = lanesOf(choice.candidates);
  const admitted: Candidate[] = [];
  let order = Math.max(0, ...choice.lastServed.values());
  const served = new Map(choice.lastServed);
  while (gate.total < choice.capacity) {
    const team = nextTeam(lanes, gate, served);
    if (team === null) break;
    const job = takeFirst(team.lanes, gate);
    if (!job) break;
    gate.admit(job);
    served.set(team.id, ++order);
    admitted.push(job);
  }
  const rest = [...lanes.values()].flatMap((team) => team.flat());
  const waiting = rest.filter((job) => gate.obstacle(job) === null);
  return {
    admitted,
    held: rest.filter((job) => gate.obstacle(job) === "rate"),
    oldestWaiting: waiting.length === 0 ? null : Math.min(...waiting.map((job) => job.queuedAt)),
  };
}

/** Of each team, its waiting jobs of each type, the first one first. */
type Lanes = Map<string, Candidate[][]>;

function lanesOf(candidates: readonly Candidate[]): Lanes {
  const lanes = new Map<string, Map<string, Candidate[]>>();
  for (const job of candidates) {
    const team = lanes.get(job.teamId) ?? new Map<string, Candidate[]>();
    lanes.set(job.teamId, team);
    const lane = team.get(job.type);
    if (lane) lane.push(job);
    else team.set(job.type, [job]);
  }
  for (const team of lanes.values()) for (const lane of team.values()) lane.sort(before);
  return new Map([...lanes].map(([teamId, team]) => [teamId, [...team.values()]]));
}

function before(a: Candidate, b: Candidate): number {
  return b.priority - a.priority || a.queuedAt - b.queuedAt || (a.id < b.id ? -1 : 1);
}

function nextTeam(lanes: Lanes, gate: Gate, served: ReadonlyMap<string, number>) {
  let best: { id: string; lanes: Candidate[][]; running: number; served: number } | null = null;
  for (const [id, team] of lanes) {
    if (!team.some((lane) => lane[0] && gate.obstacle(lane[0]) === null)) continue;
    const one = { id, lanes: team, running: gate.ofTeam(id), served: served.get(id) ?? 0 };
    if (
      best === null ||
      one.running < best.running ||
      (one.running === best.running && one.served < best.served)
    )
      best = one;
  }
  return best;
}

function takeFirst(team: Candidate[][], gate: Gate): Candidate | null {
  let first: Candidate[] | null = null;
  for (const lane of team) {
    const [head] = lane;
    if (!head || gate.obstacle(head) !== null) continue;
    const best = first?.[0];
    if (!best || before(head, best) < 0) first = lane;
  }
  return first?.shift() ?? null;
}

/** Counts what is let in, against every limit that a job has to pass. */
class Gate {
  total = 0;
  readonly #counts = new Map<string, number>();
  readonly #types: ReadonlyMap<string, JobType>;
  readonly #teamCapacity: number;

  constructor({ holdings, starts, types, teamCapacity }: Choice) {
    this.#types = new Map(types.map((type) => [type.name, type]));
    this.#teamCapacity = teamCapacity;
    for (const { teamId, type, count } of holdings) this.#hold(teamId, type, count);
    for (const { type, teamId, count } of starts) this.#add(["starts", type, teamId ?? ""], count);
  }

  ofTeam(teamId: string): number {
    return this.#count(["team", teamId]);
  }

  /** What keeps a job from being let in, besides the capacity of all; null: nothing. */
  obstacle({ teamId, type: name, inAttempt }: Candidate): "team" | "type" | "rate" | null {
    if (this.ofTeam(teamId) >= this.#teamCapacity) return "team";
    const type = this.#types.get(name);
    if (!type) return null; // it is let in to be refused by whoever has no program for it
    const { concurrency, rate } = type;
    if (this.#count(["type", name]) >= (concurrency?.total ?? Infinity)) return "type";
    if (this.#count(["lane", teamId, name]) >= (concurrency?.team ?? Infinity)) return "type";
    if (rate && !inAttempt && this.#count(this.#rateKey(name, teamId)) >= rate.max) return "rate";
    return null;
  }

  admit(job: Candidate): void {
    this.#hold(job.teamId, job.type, 1);
    if (!job.inAttempt) this.#add(this.#rateKey(job.type, job.teamId), 1);
  }

  #rateKey(type: string, teamId: string): string[] {
    return ["starts", type, this.#types.get(type)?.rate?.of === "team" ? teamId : ""];
  }

  #hold(teamId: string, type: string, count: number): void {
    this.total += count;
    this.#add(["team", teamId], count);
    this.#add(["type", type], count);
    this.#add(["lane", teamId, type], count);
  }

  #count(key: readonly string[]): number {
    return this.#counts.get(key.join("\n")) ?? 0;
  }

  #add(key: readonly string[], count: number): void {
    this.#counts.set(key.join("\n"), this.#count(key) + count);
  }
}
