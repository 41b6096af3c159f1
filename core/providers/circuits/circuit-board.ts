import type { CircuitPolicy } from "#schema";
import { BoundedMap } from "../../kernel/bounded-map.ts";
import type { Route } from "../catalog.ts";
import { type AttemptOutcome, Circuit, type Pass, type SharedCircuit } from "./circuit.ts";

/** Where isolates tell each other of open circuits. Losing it costs the sharing, and nothing else. */
export interface CircuitStore {
  /** All open circuits by name; null where the store does not answer. */
  readAll(): Promise<Record<string, SharedCircuit> | null>;
  /** @param shared null where the circuit has closed */
  write(name: string, shared: SharedCircuit | null): Promise<void>;
}

/** Clients can name models without end at a provider that takes any name. */
const CIRCUITS = 2_000;
/** How old what other isolates say may be, in milliseconds. */
const FRESH_MS = 1_000;
/** A look at the store that has not come back by then died with its request, in milliseconds. */
const LOOK_LOST_MS = 5_000;

type Target = Pick<Route, "circuit" | "patience">;

/** The circuits of all targets, as one isolate sees them. Plain values only, since requests share it. */
export class CircuitBoard {
  private readonly circuits = new BoundedMap<string, Circuit>(CIRCUITS);
  private readonly unpublished = new Map<string, SharedCircuit | null>();
  /** What others said last. */
  private shared: Record<string, SharedCircuit> = {};
  private readAt = -Infinity;
  private lookingSince = -Infinity;

  standing(target: Target, now: number): { open: boolean; latencyMs: number | null } {
    const circuit = this.circuits.get(target.circuit) ?? this.known(target, now);
    return circuit
      ? { open: circuit.avoided(now), latencyMs: circuit.latency(now) }
      : { open: false, latencyMs: null };
  }

  enter(target: Target, now: number): Pass {
    return this.of(target, now).enter(now);
  }

  /** @returns whether there is something that other isolates should know */
  leave(target: Target, pass: Pass, outcome: AttemptOutcome, now: number): boolean {
    const change = this.of(target, now).leave(pass, outcome, now);
    if (change === undefined) return false;
    this.unpublished.set(target.circuit, change);
    return true;
  }

  report(target: Target, now: number) {
    return this.of(target, now).report(now);
  }

  /** How many circuits are in each state. */
  counts(now: number): { closed: number; half_open: number; open: number } {
    const counts = { closed: 0, half_open: 0, open: 0 };
    for (const circuit of this.circuits.values()) counts[circuit.state(now)]++;
    return counts;
  }

  /**
   * Tells other isolates what changed here, and asks what changed there unless that is known from a second ago.
   * @returns null where there is nothing to do; else what may go on in the background. It never rejects
   */
  sync(store: CircuitStore, now: () => number): Promise<void> | null {
    const at = now();
    const due = at - this.readAt >= FRESH_MS && at - this.lookingSince >= LOOK_LOST_MS;
    if (this.unpublished.size === 0 && !due) return null;
    if (due) this.lookingSince = at;
    return this.exchange(store, due, now).catch(() => undefined); // circuits go on without the others' word
  }

  private async exchange(store: CircuitStore, due: boolean, now: () => number): Promise<void> {
    const changes = [...this.unpublished];
    this.unpublished.clear();
    for (const [name, shared] of changes) await store.write(name, shared);
    if (!due) return;
    const read = await store.readAll();
    const at = now();
    this.readAt = at;
    this.lookingSince = -Infinity;
    if (read === null) return;
    this.shared = read;
    for (const [name, circuit] of this.circuits.entries())
      if (!this.unpublished.has(name)) circuit.adopt(read[name], at);
  }

  /** A target that is new here, but open elsewhere. */
  private known(target: Target, now: number): Circuit | undefined {
    return Object.hasOwn(this.shared, target.circuit) ? this.of(target, now) : undefined;
  }

  private of({ circuit: name, patience }: Target, now: number): Circuit {
    const known = this.circuits.get(name);
    if (known) return known;
    const made = new Circuit(patience.circuit satisfies CircuitPolicy, now);
    const shared = Object.hasOwn(this.shared, name) ? this.shared[name] : undefined;
    if (shared) made.adopt(shared, now);
    this.circuits.set(name, made);
    return made;
  }
}
