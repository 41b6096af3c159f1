import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import {
  type Load,
  type LoadOptions,
  type LoadRequest,
  lengthTolerance,
  type RoundResult,
} from "./load.ts";

const wrkResult = z.object({
  requests: z.number(),
  micros: z.number(),
  p50: z.number(),
  p99: z.number(),
  status: z.number(),
  broken: z.number(),
  wrong: z.number(),
});

/** Where `wrk` is installed, or null. */
export async function findWrk(): Promise<string | null> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, "wrk");
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}

/** Load from `wrk`, which takes far less of the machine than a load generator in JavaScript. */
export function wrkLoad(path: string, signal: AbortSignal): Load {
  return { name: "wrk", round: (request, options) => round({ path, signal, request, options }) };
}

type Round = { path: string; signal: AbortSignal; request: LoadRequest; options: LoadOptions };

async function round({ path, signal, request, options }: Round): Promise<RoundResult> {
  const { connections, seconds } = options;
  const { contains, length } = request.expect;
  const args = [
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "-s",
    fileURLToPath(new URL("post.lua", import.meta.url)),
    request.url,
  ];
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\n`);
  const { stdout } = await promisify(execFile)(path, args, {
    signal,
    env: {
      ...process.env,
      BENCH_BODY: request.body,
      BENCH_HEADERS: headers.join(""),
      ...(request.credentialsFile === undefined
        ? {}
        : { BENCH_CREDENTIALS: request.credentialsFile }),
      BENCH_CONTAINS: contains,
      BENCH_SHORTEST: String(length - lengthTolerance),
      BENCH_LONGEST: String(length + lengthTolerance),
    },
  });
  const result = wrkResult.parse(JSON.parse(stdout.slice(stdout.lastIndexOf("\n{"))));
  if (result.status > 0 || result.broken > 0)
    throw new Error(`${result.status} answers other than 200, ${result.broken} broken connections`);
  if (result.wrong > 0)
    throw new Error(`${result.wrong} of ${result.requests} answers had the wrong body`);
  return {
    rps: (result.requests / result.micros) * 1e6,
    p50Ms: result.p50 / 1_000,
    p99Ms: result.p99 / 1_000,
    answered: result.requests,
    // wrk closes its connections with a request under way on each.
    cut: connections,
  };
}
