// A process of its own: BullMQ's queue and worker on the Redis at REDIS_URL. Prints one line of JSON.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type BullJob, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { bullmqJobs, planOfProcess } from "./job-plan.ts";

const plan = planOfProcess();
const url = process.env["REDIS_URL"] ?? "";
// A Redis that is not there ends the run instead of being waited for.
const connect = () => new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => null });
const connections = { queue: connect(), worker: connect() };
const redis = await describeRedis(connections.queue);
const folder = await mkdtemp(path.join(tmpdir(), "switchyard-bench-bullmq-"));
// Nothing of what else is in this Redis is touched.
const name = `switchyard-bench-${crypto.randomUUID()}`;
const queue = new Queue(name, { connection: connections.queue });
const worker = new Worker(name, work, {
  connection: connections.worker,
  concurrency: plan.capacity,
  autorun: false,
});
try {
  const madeFrom = performance.now();
  // Not in bulk: the other side's jobs are made one by one, too. It is not part of what is compared.
  await Promise.all(
    Array.from({ length: plan.jobs }, () => queue.add("self_test", { count: plan.count })),
  );
  const makingMs = performance.now() - madeFrom;

  const ended = Promise.withResolvers<void>();
  let left = plan.jobs;
  worker.on("completed", () => --left === 0 && ended.resolve());
  worker.on("failed", (_job, error) => ended.reject(error));
  worker.on("error", (error) => ended.reject(error));
  const from = performance.now();
  const running = worker.run();
  running.catch((error: unknown) => ended.reject(error));
  await ended.promise;
  const ms = performance.now() - from;

  assert.equal(await queue.getCompletedCount(), plan.jobs);
  assert.equal((await readdir(folder)).length, plan.jobs);
  console.log(JSON.stringify(bullmqJobs.parse({ ms, makingMs, redis })));
} finally {
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
  for (const connection of Object.values(connections)) connection.disconnect();
  await rm(folder, { recursive: true, force: true });
}

/** What the job type `self_test` does: a line of its log, each number kept with its progress, a file, and a result. */
async function work(job: BullJob<{ count: number }>): Promise<{ counted: number }> {
  const { count } = job.data;
  await job.log(`Counting to ${count}`);
  for (let number = 1; number <= count; number += 1)
    await job.updateProgress({ done: number, total: count, message: `Counted to ${number}` });
  const lines = Array.from({ length: count }, (_, index) => `${index + 1}\n`);
  await writeFile(path.join(folder, `${job.id}.csv`), `number\n${lines.join("")}`);
  return { counted: count };
}

async function describeRedis(connection: Redis): Promise<string> {
  const version = /redis_version:(\S+)/.exec(await connection.info("server"))?.[1] ?? "unknown";
  const setting = async (key: string) => {
    const answer = await connection.config("GET", key).catch(() => []); // hosted ones forbid to ask
    return `${key} ${answer[1] ?? "unknown"}`;
  };
  return `Redis ${version}, ${await setting("appendonly")}, ${await setting("appendfsync")}`;
}
