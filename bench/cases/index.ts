import type { BenchCase } from "./case.ts";
import { campaignMetrics } from "./campaign-metrics.ts";
import { chat } from "./chat.ts";
import { chatStream } from "./chat-stream.ts";
import { chatSteady } from "./chat-steady.ts";
import { chatStreamWrites } from "./chat-stream-writes.ts";
import { imports } from "./imports.ts";
import { jobs } from "./jobs.ts";
import { memory } from "./memory.ts";
import { reports } from "./reports.ts";
import { streamArrival } from "./stream-arrival.ts";
import { tables } from "./tables.ts";
import { vin } from "./vin.ts";

/** All cases, in the order in which they run. */
export const cases: readonly BenchCase[] = [
  chat,
  chatStream,
  chatStreamWrites,
  chatSteady,
  streamArrival,
  vin,
  reports,
  tables,
  jobs,
  imports,
  campaignMetrics,
  memory,
];
