import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { sendJobEvent } from "#core/jobs/send-event.ts";
import { type Boundary, JobWorld, Killed } from "./job-world.ts";
import { everything, small } from "./programs.ts";

let world: JobWorld;
let teamId: string;
beforeAll(async () => {
  world = await JobWorld.open(inject("postgres"), [small, everything]);
  teamId = await world.team();
});
afterAll(() => world.database.drop());
beforeEach(() => world.clear());

/** What a job of `everything` leaves, however often its processes died. */
const EFFECTS = ["chunk 1", "chunk 2", "chunk 3", "chunk 4", "end", "note"];
const RESULT = { first: { at: "first" }, counted: 4, parts: ["a", "b", "c"], word: { yes: true } };

/** Sends the approval once the job waits for it; the same one again and again. */
const approve = async (jobId: string) => {
  const context = world.context(teamId);
  const [row] = await world.sql<{ waiting_for: string | null }>(
    "SELECT waiting_for FROM jobs WHERE id = $1",
    [jobId],
  );
  if (row?.waiting_for !== "event:approve") return;
  const event = { jobId, event: "approve", payload: { yes: true }, id: "approval" };
  await sendJobEvent(context, world.desk, event);
};

/** Works a job with processes that follow `killsAt` until one dies of it, and then with processes that live. */
async function runWith(
  killsAt: (boundary: Boundary, index: number, when: "before" | "after") => boolean,
): Promise<{ jobId: string; boundaries: Boundary[]; died: boolean }> {
  const jobId = await world.create(teamId, everything.type, null);
  await world.dispatch();
  const doomed = world.process({ killsAt });
  try {
    for (let round = 0; round < 8 && (await world.open()) > 0; round++) {
      await world.deliver(doomed);
      await approve(jobId);
      await world.passTime();
      await doomed.sweep();
    }
  } catch (error) {
    if (!doomed.dead) throw error;
    expect(error).toSatisfy(isKilled);
  }
  await world.finish(() => approve(jobId));
  return { jobId, boundaries: doomed.boundaries, died: doomed.dead };
}

function isKilled(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof Killed) return true;
  return false;
}

async function expectWhole(jobId: string): Promise<void> {
  const job = await world.job(teamId, jobId);
  expect(job).toMatchObject({
    state: "succeeded",
    result: RESULT,
    progressDone: 4,
    progressMessage: "counted",
    slot: false,
    leaseUntil: null,
  });
  expect(await world.effects(jobId)).toEqual(EFFECTS);
  expect(await world.effects()).toEqual([...EFFECTS, "small a", "small b", "small c"].sort());
  expect(job.timeline.map(({ name, state }) => [name, state])).toEqual(
    ["first", "note", "count", "rest", "parts", "approval", "save", "end"].map((name) => [
      name,
      "done",
    ]),
  );
  expect(job.attempts.at(-1)).toMatchObject({ outcome: "succeeded", number: job.attempt });
  expect(job.attempts.every((attempt) => attempt.endedAt !== null)).toBe(true);
  expect(job.results).toMatchObject([{ name: "result.txt", size: 1 }]);
  // A process that died between the file and its row leaves a file that goes with the job.
  const stored = [...world.files.contents.keys()];
  expect(stored).toContain(job.results[0]?.fileKey);
  expect(stored.every((key) => key.startsWith(`${teamId}/jobs/${jobId}/`))).toBe(true);
  const [slots] = await world.sql<{ n: number }>(
    "SELECT count(*)::integer AS n FROM jobs WHERE slot OR lease_until IS NOT NULL",
  );
  expect(slots?.n).toBe(0);
}

describe("a process that is killed", () => {
  it("before or after any commit, statement or message loses nothing and repeats nothing that is committed", async () => {
    const whole = await runWith(() => false);
    await expectWhole(whole.jobId);
    const count = whole.boundaries.length;
    expect(count).toBeGreaterThan(35);
    const places: string[] = [];
    for (let index = 0; index < count; index++) {
      for (const when of ["before", "after"] as const) {
        await world.clear();
        world.files.contents.clear();
        const place = `${when} ${whole.boundaries[index]?.what} ${index}`;
        const { jobId, died } = await runWith((_, at, moment) => at === index && moment === when);
        await expectWhole(jobId).catch((error: unknown) => {
          throw new Error(`Killed ${place}: ${whole.boundaries[index]?.text}`, { cause: error });
        });
        if (died) places.push(place);
      }
    }
    // What a beat writes comes and goes with the time, so that the last places may not be reached.
    expect(places.length).toBeGreaterThan(2 * count - 6);
  }, 600_000);

  it("again and again, at random, comes to the same end", async () => {
    for (let round = 0; round < 6; round++) {
      await world.clear();
      world.files.contents.clear();
      const jobId = await world.create(teamId, everything.type, null);
      for (let life = 0; life < 200 && (await world.open()) > 0; life++) {
        const mortal = world.process({ killsAt: () => Math.random() < 0.04 });
        try {
          await mortal.sweep();
          await world.deliver(mortal);
        } catch (error) {
          expect(error).toSatisfy(isKilled);
        }
        await approve(jobId);
        await world.passTime();
        // Deaths without progress count as attempts; five in a row would be a failure, as it should be.
        await world.sql("UPDATE jobs SET failures = 0");
      }
      await expectWhole(jobId);
    }
  }, 600_000);
});
