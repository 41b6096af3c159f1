import { describe, expect, it } from "vitest";
import type { JobDetails } from "../jobs/job.ts";
import { followJob } from "./follow-job.ts";

const JOB = { id: "job_1", teamId: "team_1" };

/** A feed that waits as long as it is asked to, or not at all, and a job that has done one more each time. */
function hostOf({ waits, endsAfter }: { waits: boolean; endsAfter: number }) {
  const asked: number[] = [];
  let now = 0;
  const awaitJob = (_job: object, milliseconds: number) => {
    asked.push(milliseconds);
    if (waits) now += milliseconds;
    const state = asked.length >= endsAfter ? "succeeded" : "running";
    const progress = { progressDone: asked.length, progressTotal: null, progressMessage: "" };
    return Promise.resolve({ ...JOB, state, ...progress } as JobDetails); // as much as is looked at
  };
  return { awaitJob, gateway: { now: () => now }, asked };
}

const follow = async (host: ReturnType<typeof hostOf>) => {
  const told: number[] = [];
  const job = await followJob(host, JOB, {
    clientSignal: null, // nobody leaves
    patienceMs: 45_000,
    onProgress: ({ done }) => void told.push(done),
  });
  return { state: job.state, told };
};

describe("a call that waits for its job", () => {
  it("tells how far it is every two seconds, until it ends", async () => {
    const host = hostOf({ waits: true, endsAfter: 3 });
    expect(await follow(host)).toEqual({ state: "succeeded", told: [1, 2, 3] });
    expect(host.asked).toEqual([2_000, 2_000, 2_000]);
  });

  it("gives the job as it is after as long as it is to wait", async () => {
    const host = hostOf({ waits: true, endsAfter: Infinity });
    expect((await follow(host)).state).toBe("running");
    expect(host.asked.reduce((sum, wait) => sum + wait, 0)).toBe(45_000);
  });

  it("gives the job as it is where the feed waits for nothing, and does not ask on without a pause", async () => {
    const host = hostOf({ waits: false, endsAfter: 1_000 });
    expect((await follow(host)).state).toBe("running");
    expect(host.asked).toHaveLength(1);
  });
});
