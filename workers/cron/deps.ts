import { waitUntil } from "cloudflare:workers";
import { inArray, sql } from "drizzle-orm";
import { z } from "zod";
import { type Context, noSource } from "#core/kernel/context.ts";
import { AppError } from "#core/kernel/errors.ts";
import { newId } from "#core/kernel/ids.ts";
import type { Logger } from "#core/kernel/log.ts";
import { within } from "#core/kernel/within.ts";
import type { ScheduleClock } from "#core/schedules/due-times.ts";
import type {
  CheckedDependency,
  DependencyHealth,
  ScheduleContext,
} from "#core/schedules/schedule.ts";
import { SCHEDULES } from "#core/schedules/schedules.ts";
import { openCache } from "#platform/cache.ts";
import { createContext } from "#platform/context.ts";
import type { Meter } from "#platform/durable-objects/meter.ts";
import { consoleLogger } from "#platform/logger.ts";
import { createMeterClient, type MeterClient } from "#platform/meter-client.ts";
import { checkAiService, timed } from "#platform/readiness.ts";
import { createScheduleClock } from "#platform/schedule-clock.ts";
import type { JobFeed } from "#platform/durable-objects/job-feed.ts";
import { createJobFeedClient } from "#platform/job-feed-client.ts";
import { createJobQueue } from "#platform/job-queue.ts";
import { DispatchTurn } from "#core/jobs/dispatch/dispatch-turn.ts";
import { type JobEngine, typesOf } from "#core/jobs/engine/job-engine.ts";
import { cancelJobs } from "#core/jobs/after-end.ts";
import { deliverCallbacks } from "#core/jobs/callbacks/deliver-callbacks.ts";
import type { CallbackPorts } from "#core/jobs/callbacks/send-callback.ts";
import type { UnsignedCallback } from "#core/jobs/callbacks/sign-callback.ts";
import { createJobDesk } from "#core/jobs/job-desk.ts";
import { retellEnds } from "#core/jobs/retell-ends.ts";
import { type DueJobsPorts, makeDueJobs } from "#core/jobs/schedules/make-due-jobs.ts";
import { VERSION } from "#core/kernel/version.ts";
import { jobs as jobTable } from "#schema";
import { sweepJobs } from "#core/jobs/engine/sweep-jobs.ts";
import type { JobProgram } from "#core/jobs/job-type.ts";
import type { Principal } from "#core/kernel/principal.ts";
import {
  type CronSettings,
  cronSettings,
  readJobSettings,
  readSettings,
} from "#platform/settings.ts";
import { makeJobPorts } from "./job-ports.ts";

/** What the cron Worker works with; made from `env`, here and nowhere else. */
export interface CronDeps {
  settings: CronSettings;
  log: Logger;
  meter: MeterClient;
  clock: ScheduleClock;
  /** A context for the verbs of core, one for each tick or batch. */
  context(): Context;
  /** The same with what schedules need. */
  scheduleContext(): Omit<ScheduleContext, "deadline">;
  /** What jobs are worked with. */
  jobs: JobEngine;
  /** What callbacks of jobs are sent with. */
  callbacks: CallbackPorts;
}

/** Of the isolate. */
const turn = new DispatchTurn();

/**
 * @param programs how each type of job is done
 * @throws AppError `misconfigured` when a setting is missing or bad
 */
export function makeDeps(env: CronEnv, programs: readonly JobProgram[]): CronDeps {
  const settings = readSettings(cronSettings, env);
  const log = consoleLogger(settings.LOG_LEVEL, "cron");
  const meter = createMeterClient(env.METER as DurableObjectNamespace<Meter>); // the generated type does not name the class
  const contextFor = (principal: Principal) => {
    const requestId = newId("request");
    return createContext({
      principal,
      requestId,
      source: noSource,
      log: log.with({ request_id: requestId }),
      database: settings,
      secrets: { seal: noSecrets, open: noSecrets },
      epochs: meter,
      announce: () => Promise.resolve(), // nothing here throws a switch
    });
  };
  const context = () => contextFor({ kind: "system", teamId: null });
  const jobs: JobEngine = {
    programs,
    settings: readJobSettings(settings),
    queue: createJobQueue(env.JOB_QUEUE),
    turn,
    feed: createJobFeedClient(env.JOB_FEED as DurableObjectNamespace<JobFeed>, log), // as for METER
    ports: makeJobPorts(env, settings),
    contextFor,
  };
  const callbacks = callbackPorts(env, settings);
  const desk = createJobDesk({
    ...jobs,
    types: typesOf(jobs),
    queueAgeLimitSeconds: jobs.settings.queueAgeLimitSeconds,
    context,
    background: waitUntil,
  });
  const dueJobs: DueJobsPorts = {
    clockOf: createScheduleClock,
    desk,
    allowPrivate: callbacks.allowPrivate,
    async cancel(ids) {
      await desk.dispatch(await cancelJobs(context(), inArray(jobTable.id, [...ids])));
    },
  };
  return {
    jobs,
    callbacks,
    settings,
    log,
    meter,
    clock: createScheduleClock(settings.TIME_ZONE),
    context,
    scheduleContext: () => {
      const { db, transaction, now, log: contextLog } = context();
      return {
        db,
        transaction,
        now,
        log: contextLog,
        usageRetentionDays: settings.USAGE_RETENTION_DAYS,
        resultDays: settings.RESULT_DAYS,
        jobRetentionDays: settings.JOB_RETENTION_DAYS,
        sessionIdleDays: settings.SESSION_IDLE_DAYS,
        files: jobs.ports.files,
        dependencies: dependencyChecks(env, settings, db),
        sendProbe: async () =>
          void (await env.USAGE_QUEUE.send({ kind: "probe", sentAt: Date.now() })),
        retries: new Map(SCHEDULES.map((schedule) => [schedule.name, schedule.retries])),
        sendRun: async (runId) => void (await env.SCHEDULE_QUEUE.send({ run_id: runId })),
        sweepJobs: () => sweepJobs(jobs, context()),
        deliverCallbacks: (deadline) => deliverCallbacks(context(), callbacks, { deadline }),
        makeScheduledJobs: (deadline) => makeDueJobs(context(), dueJobs, deadline),
        retellJobEnds: () => retellEnds(context(), jobs.feed),
      };
    },
  };
}

/** The api Worker signs: it has MASTER_KEY, under which the secrets are sealed. */
function callbackPorts(env: CronEnv, settings: CronSettings): CallbackPorts {
  const api = env.API as unknown as Signer; // Workers never import each other; the answer is checked
  return {
    sign: async (callback) =>
      z
        .string()
        .nullable()
        .parse(await api.signCallback(callback)),
    fetch: (url, init) => fetch(url, init),
    later: async (jobId, delaySeconds) =>
      void (await env.JOB_QUEUE.send({ job_id: jobId, callbacks: true }, { delaySeconds })),
    allowPrivate: settings.ALLOW_PRIVATE_UPSTREAMS,
    userAgent: `Switchyard/${VERSION}`,
  };
}

interface Signer {
  signCallback(callback: UnsignedCallback): Promise<unknown>;
}

/** This Worker has no MASTER_KEY: nothing that it does reads or makes a secret. */
function noSecrets(): Promise<never> {
  return Promise.reject(
    new AppError("misconfigured", { message: "The cron Worker does not handle secrets." }),
  );
}

const BOT_CUT_MS = 4_000;

const botHealth = z.object({
  dependencies: z.object({
    telegram_api: z.object({
      status: z.enum(["ok", "failing", "not_configured"]),
      latencyMs: z.number().nullable(),
      detail: z.string().optional(),
    }),
  }),
});

function dependencyChecks(
  env: CronEnv,
  settings: CronSettings,
  db: Context["db"],
): Record<CheckedDependency, () => Promise<DependencyHealth>> {
  const cache = openCache(settings, () => undefined);
  return {
    database: () => check(async () => void (await db.execute(sql`SELECT 1`))),
    cache: () => check(() => cache.ping()),
    ai_service: async () => known(await checkAiService(settings)),
    telegram_api: () => checkTelegram(env),
  };
}

type Checked = Awaited<ReturnType<typeof timed>>;

/** A check that was made just now knows how the dependency is. */
function known({ status, latencyMs, detail }: Checked): DependencyHealth {
  return {
    status: status === "unknown" ? "failing" : status,
    latencyMs,
    ...(detail === undefined ? {} : { detail }),
  };
}

async function check(work: () => Promise<void>): Promise<DependencyHealth> {
  return known(await timed(work));
}

/** The bot has the token, so it asks Telegram, and cuts its own checks after two seconds. */
async function checkTelegram(env: CronEnv): Promise<DependencyHealth> {
  const started = Date.now();
  try {
    const bot = env.BOT as unknown as { health(): Promise<unknown> }; // Workers never import each other; the answer is checked
    const answer = await within(BOT_CUT_MS, bot.health());
    const { status, latencyMs, detail } = botHealth.parse(answer).dependencies.telegram_api;
    return { status, latencyMs, ...(detail === undefined ? {} : { detail }) };
  } catch {
    const detail = "The bot Worker does not answer.";
    return { status: "failing", latencyMs: Date.now() - started, detail };
  }
}
