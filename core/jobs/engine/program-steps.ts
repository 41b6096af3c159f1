import { sql } from "drizzle-orm";
import type { Database, TransactionContext } from "../../kernel/context.ts";
import type { JobSteps, Json } from "../job-type.ts";
import { JOB_WAIT_MS } from "../job.ts";
import { runChildren } from "./run-children.ts";
import { type AskedStep, type StepRunner, wakeAfter } from "./step-runner.ts";
import { park } from "./park.ts";
import { waitForEvent } from "./wait-for-event.ts";

/** The steps of a program, over a runner that knows what is done already. */
export function programSteps(runner: StepRunner): JobSteps {
  const sleep = (name: string, wakeAt: ReturnType<typeof sql>) =>
    runner.step<void>(
      name,
      "sleep",
      (asked) => endSleep(runner, asked, wakeAt),
      () => undefined,
    );
  return {
    run: <Kept extends Json | void>(name: string, work: () => Promise<Kept>) =>
      runner.step<Kept>(
        name,
        "run",
        async (asked) => {
          const started = performance.now();
          const json = runner.json(asked, await work());
          const elapsedMs = performance.now() - started;
          await runner.keepDone({ ...asked, kept: json, count: 0, elapsedMs });
          return ownKept<Kept>(JSON.parse(json));
        },
        ownKept<Kept>,
      ),
    transaction: <Kept extends Json | void>(
      name: string,
      work: (context: TransactionContext) => Promise<Kept>,
    ) =>
      runner.step<Kept>(
        name,
        "transaction",
        async (asked) => ownKept<Kept>(JSON.parse(await runTransaction(runner, asked, work))),
        ownKept<Kept>,
      ),
    chunks: <State extends Json, Chunk>(name: string, source: ChunkSource<State, Chunk>) =>
      runner.step<State>(
        name,
        "chunks",
        (asked) => runChunks(runner, asked, source),
        ownKept<State>,
      ),
    sleep: (name, milliseconds) => sleep(name, wakeAfter(milliseconds)),
    sleepUntil: (name, time) => {
      const latest = sql`now() + make_interval(secs => ${JOB_WAIT_MS / 1000})`;
      return sleep(name, sql`least(${time.toISOString()}::timestamptz, ${latest})`);
    },
    waitForEvent: (name, event, timeoutMs) =>
      runner.step(
        name,
        "event",
        (asked) => waitForEvent(runner, asked, { event, timeoutMs }),
        (value) => value,
      ),
    children: (name, type, inputs) => runChildren(runner, name, type, inputs),
  };
}

/** What is kept of a step was given by the same step, so that it is of the step's own type. */
function ownKept<Kept>(value: unknown): Kept {
  return value as Kept;
}

interface ChunkSource<State extends Json, Chunk> {
  start: State;
  open(state: State): AsyncIterable<Chunk>;
  commit(context: TransactionContext, chunk: Chunk, state: State): Promise<State>;
}

async function runTransaction(
  runner: StepRunner,
  asked: AskedStep,
  work: (context: TransactionContext) => Promise<Json | void>,
): Promise<string> {
  const started = performance.now();
  let json = "null";
  await runner.commit(async (inner) => {
    json = runner.json(asked, await work(inner));
    const elapsedMs = performance.now() - started;
    const step = { ...asked, state: "done" as const, kept: json, count: 0, elapsedMs };
    return (db) => runner.parts.lease.addStep(db, step);
  });
  return json;
}

/** Chunk by chunk: the effect of each is committed with the state after it and its number. */
async function runChunks<State extends Json, Chunk>(
  runner: StepRunner,
  asked: AskedStep,
  source: ChunkSource<State, Chunk>,
): Promise<State> {
  const { stop } = runner.parts;
  const step = new ChunkedStep(runner, asked);
  let state = await step.stateOr(source.start);
  const iterator = source.open(state)[Symbol.asyncIterator]();
  // Whatever it is that ends the loop, the source learns of it; nobody waits for it.
  const close = () => void Promise.resolve(iterator.return?.()).catch(() => undefined);
  stop.signal.addEventListener("abort", close, { once: true });
  try {
    for (;;) {
      const next = await iterator.next();
      if (next.done) break;
      await runner.pauseBetween();
      let json = "null";
      await runner.commit(async (inner) => {
        json = runner.json(asked, await source.commit(inner, next.value, state));
        return (db) => step.write(db, json);
      });
      step.committed();
      state = ownKept<State>(JSON.parse(json));
      await runner.pauseBetween();
    }
  } finally {
    stop.signal.removeEventListener("abort", close);
    close();
  }
  await step.end(runner.json(asked, state));
  return state;
}

/** Where a step of chunks stands: its row is there from the first chunk on. */
class ChunkedStep {
  readonly #runner: StepRunner;
  readonly #asked: AskedStep;
  readonly #started = performance.now();
  #count: number;
  #written: boolean;

  get #elapsedMs(): number {
    return performance.now() - this.#started;
  }

  constructor(runner: StepRunner, asked: AskedStep) {
    this.#runner = runner;
    this.#asked = asked;
    this.#count = asked.kept?.count ?? 0;
    this.#written = asked.kept !== null;
  }

  async stateOr<State extends Json>(start: State): Promise<State> {
    const { kept } = this.#asked;
    if (!kept) return start;
    return ownKept<State>(await this.#runner.ours(() => kept.kept()));
  }

  /** Writes a chunk, and the row of the step with the first one. */
  async write(db: Database | null, json: string): Promise<void> {
    const { lease } = this.#runner.parts;
    const change = {
      position: this.#asked.position,
      state: "open" as const,
      kept: json,
      count: this.#count + 1,
    };
    if (this.#written) return lease.updateStep(db, change, this.#count);
    return lease.addStep(db, { ...this.#asked, ...change, elapsedMs: this.#elapsedMs });
  }

  async end(json: string): Promise<void> {
    const { position, name, kind } = this.#asked;
    const done = { position, name, kind, kept: json, count: this.#count };
    await this.#runner.keepDone({ ...done, elapsedMs: this.#elapsedMs });
  }

  committed(): void {
    this.#count += 1;
    this.#written = true;
  }
}

/** Begins a sleep, or ends one whose time has come. */
async function endSleep(
  runner: StepRunner,
  asked: AskedStep,
  wakeAt: ReturnType<typeof sql>,
): Promise<void> {
  const { lease } = runner.parts;
  if (!asked.kept)
    return park(runner, {
      waitingFor: "sleep",
      wakeAt,
      step: { ...asked, kept: null, count: 0, elapsedMs: 0 },
    });
  if (await runner.ours(() => lease.endSleep(asked.position))) {
    runner.committed();
    return;
  }
  const kept = sql`(SELECT wake_at FROM job_steps WHERE job_id = ${lease.job.id} AND position = ${asked.position})`;
  await park(runner, { waitingFor: "sleep", wakeAt: kept, step: null });
}
