import type { FileStore } from "#core/files/file-store.ts";
import type { JobProgram, JobRun, Json } from "#core/jobs/job-type.ts";
import { newId } from "#core/kernel/ids.ts";
import type { Context } from "#core/kernel/context.ts";
import { reportFonts } from "#test/reports/report-fonts.ts";

/** What a program's steps have kept, over as many processes as it takes. */
export class KeptJob {
  readonly id = newId("job");
  readonly steps = new Map<string, Json>();
  readonly log: string[] = [];
  /** Chunks that were committed. */
  commits = 0;
}

export interface RunOptions {
  teamId: string;
  context: Context;
  files: FileStore;
  input: unknown;
  /** What an earlier run has kept; a new job where it is not given. */
  kept?: KeptJob;
  /** Dies at this commit of a chunk, before or after it is there. */
  dieAt?: { commit: number; when: "before" | "after" };
}

/** As a process that was killed looks from outside. */
export class Killed extends Error {}

/** Runs a program without an engine, as one process would: its steps are kept, its chunks are committed one by one. */
export async function runProgram<Input, Result extends Json>(
  program: JobProgram<Input, Result>,
  { teamId, context, files, input, kept = new KeptJob(), dieAt }: RunOptions,
): Promise<Result> {
  const keep = async <Kept extends Json | void>(name: string, work: () => Promise<Kept>) => {
    const known = kept.steps.get(name);
    if (known !== undefined) return JSON.parse(JSON.stringify(known)) as Kept; // as it was kept
    const result = await work();
    kept.steps.set(name, JSON.parse(JSON.stringify(result ?? null)));
    return result;
  };
  const refuse = () => Promise.reject(new Error("Not in this test"));
  const job: JobRun<Input> = {
    id: kept.id,
    teamId,
    input: program.type.input.parse(input),
    attempt: 1,
    context,
    ports: {
      files,
      vins: { readRows: refuse },
      skills: { use: refuse },
      telegram: { sendFile: refuse },
      reportFonts,
      timeZone: "UTC",
    },
    signal: new AbortController().signal,
    progress: () => undefined,
    log: (message) => void kept.log.push(message),
    async saveResult({ name, contentType, body }) {
      const { size } = await files.put(`${teamId}/jobs/${kept.id}/${name}`, body, { contentType });
      return { url: `/v1/jobs/${kept.id}/results/${name}`, size };
    },
    step: {
      run: keep,
      transaction: (name, work) => keep(name, () => context.transaction(work)),
      async chunks(name, { start, open, commit }) {
        let state = (kept.steps.get(name) as typeof start | undefined) ?? start; // as it was kept
        for await (const chunk of open(state)) {
          const dies = dieAt?.commit === kept.commits;
          state = await context.transaction(async (inner) => {
            const next = await commit(inner, chunk, state);
            if (dies && dieAt?.when === "before") throw new Killed();
            return next;
          });
          kept.steps.set(name, state);
          kept.commits += 1;
          if (dies) throw new Killed();
        }
        return state;
      },
      sleep: refuse,
      sleepUntil: refuse,
      waitForEvent: refuse,
      children: refuse,
    },
  };
  return program.run(job);
}
