import { z } from "zod";
import type { Processes } from "../process/parent.ts";
import type { Load } from "./load.ts";

const roundResult = z.object({
  rps: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  answered: z.number(),
  cut: z.number(),
});

/** Load from the npm package `autocannon`, which is there on every machine. */
export async function startAutocannon(processes: Processes): Promise<Load> {
  const child = await processes.start({
    name: "autocannon",
    module: new URL("autocannon-process.ts", import.meta.url),
    input: {},
    ready: z.object({}),
  });
  return {
    name: "autocannon",
    round: (request, options) => child.call("round", { request, options }, roundResult),
  };
}
