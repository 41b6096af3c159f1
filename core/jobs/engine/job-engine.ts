import type { Context } from "../../kernel/context.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { DispatchParts } from "../dispatch/dispatch-jobs.ts";
import type { DispatchTurn } from "../dispatch/dispatch-turn.ts";
import type { JobFeed } from "../job-feed.ts";
import type { JobQueue } from "../job-ports.ts";
import type { JobSettings } from "../job-settings.ts";
import type { JobPorts, JobProgram, JobType } from "../job-type.ts";

/** What jobs are worked with. */
export interface JobEngine {
  programs: readonly JobProgram[];
  settings: JobSettings;
  queue: JobQueue;
  /** Of the isolate; see DispatchParts. */
  turn?: DispatchTurn;
  feed: JobFeed;
  /** What programs reach of the world. */
  ports: JobPorts;
  /** A context in which somebody acts: the engine itself as `system`, a program as its job. */
  contextFor(principal: Principal): Context;
}

/** The types of an engine's programs. */
export function typesOf({ programs }: Pick<JobEngine, "programs">): JobType[] {
  return programs.map((program) => program.type);
}

/** What an engine dispatches by. */
export function dispatchPartsOf(engine: JobEngine): DispatchParts {
  const { settings, queue, turn } = engine;
  return { types: typesOf(engine), settings, queue, ...(turn ? { turn } : {}) };
}
