import autocannon, { type Client, type Result } from "autocannon";
import { z } from "zod";
import { runChild } from "../process/child.ts";
import {
  lengthTolerance,
  type LoadOptions,
  type LoadRequest,
  percentile,
  type RoundResult,
} from "./load.ts";

const answerWithinSeconds = 20;

const roundInput = z.object({
  request: z.object({
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string(),
    expect: z.object({ contains: z.string(), length: z.number() }),
  }),
  options: z.object({ connections: z.number(), seconds: z.number() }),
});

runChild({
  input: z.object({}),
  start: async () => ({
    ready: {},
    calls: {
      round: (input) => {
        const { request, options } = roundInput.parse(input);
        return round(request, options);
      },
    },
  }),
});

/**
 * One round. At its end each connection waits for the answer it is owed before it closes, so that
 * requests and answers can be counted against each other. Times are taken from single answers, because
 * autocannon's own histogram knows whole milliseconds only.
 */
async function round(
  request: LoadRequest,
  { connections, seconds }: LoadOptions,
): Promise<RoundResult> {
  const { expect, ...target } = request;
  const clients: Client[] = [];
  const times: number[] = [];
  const statuses = new Map<number, number>();
  let wrongBody: string | undefined;
  let inTime = 0;
  let failure: Error | undefined;

  const finished = Promise.withResolvers<Result>();
  const run = autocannon(
    {
      ...target,
      method: "POST",
      connections,
      duration: seconds + answerWithinSeconds + 5,
      timeout: answerWithinSeconds,
      sampleInt: 20,
      setupClient: (client) => clients.push(client),
      verifyBody: (body) => {
        const right =
          Math.abs(body.length - expect.length) <= lengthTolerance &&
          body.includes(expect.contains);
        if (!right) wrongBody ??= body;
        return right;
      },
    },
    (error, result) => (error === null ? finished.resolve(result) : finished.reject(error)),
  );
  const endsAt = performance.now() + seconds * 1_000;
  run.on("reqError", (error) => (failure ??= error));
  run.on("response", (_client, status, _bytes, milliseconds) => {
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    times.push(milliseconds);
    if (performance.now() <= endsAt) inTime += 1;
  });
  setTimeout(() => {
    for (const client of clients) client.responseMax = 1;
  }, seconds * 1_000);

  const result = await finished.promise;
  const sent = clients.reduce((sum, client) => sum + client.reqsMade, 0);
  if (failure !== undefined || result.errors > 0)
    throw new Error(`${result.errors} requests failed, the first with: ${failure?.message}`);
  if ([...statuses.keys()].some((status) => status !== 200))
    throw new Error(`answers other than 200: ${JSON.stringify([...statuses])}\n${wrongBody ?? ""}`);
  if (wrongBody !== undefined)
    throw new Error(
      `${result.mismatches} answers had the wrong body, the first: ${wrongBody.slice(0, 500)}`,
    );
  if (sent !== times.length)
    throw new Error(
      `${sent} requests were sent and ${times.length} answered: a connection was closed early`,
    );

  const sorted = Float64Array.from(times);
  return {
    rps: inTime / seconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    answered: times.length,
    cut: 0,
  };
}
