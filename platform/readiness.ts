import { sql } from "drizzle-orm";
import { healthChecks, jobPressure } from "#schema";
import { EXPECTED_SCHEMA_VERSION } from "../schema/version.ts";
import type { Cache } from "./cache.ts";
import { type DatabaseSettings, openDatabase } from "./database.ts";

/** A dependency that has not answered by then is failing, in milliseconds. */
const CUT_MS = 2_000;
/** Results are used again for this long, so that probes do not become load. */
const KEPT_MS = 5_000;

export interface DependencyState {
  status: "ok" | "failing" | "not_configured" | "unknown";
  latencyMs: number | null;
  detail?: string;
  /** Set where the state is one that a schedule stored. */
  checkedAt?: string;
}

export interface Readiness {
  /** `not_ready` only when the database or the schema is not there; `degraded` when anything else that is configured fails. */
  status: "ready" | "degraded" | "not_ready";
  timestamp: string;
  schema: { expected: number; actual: number | null };
  dependencies: Record<
    "database" | "cache" | "ai_service" | "queue" | "telegram_api" | "jobs",
    DependencyState
  >;
}

export interface ReadinessInput {
  settings: DatabaseSettings & {
    AI_SERVICE_URL: string | null;
    AI_SERVICE_API_KEY: string | null;
    JOB_QUEUE_AGE_SECONDS: number;
  };
  cache: Pick<Cache, "ping">;
}

let kept: { readiness: Readiness; until: number } | null = null;

/** Checks everything that the Worker depends on, at most every five seconds. */
export async function checkReadiness(input: ReadinessInput): Promise<Readiness> {
  if (kept && Date.now() < kept.until) return kept.readiness;
  const [database, cache, aiService] = await Promise.all([
    checkDatabase(input.settings),
    timed(() => input.cache.ping()),
    checkAiService(input.settings),
  ]);
  const schema = { expected: EXPECTED_SCHEMA_VERSION, actual: database.schemaVersion };
  const dependencies = {
    database: database.state,
    cache,
    ai_service: aiService,
    queue: database.stored.get("queue") ?? UNKNOWN,
    telegram_api: database.stored.get("telegram_api") ?? UNKNOWN,
    jobs: jobsState(database.oldestJobSeconds, input.settings.JOB_QUEUE_AGE_SECONDS),
  };
  const there = database.state.status === "ok" && schema.actual === schema.expected;
  const failing = Object.values(dependencies).some((dependency) => dependency.status === "failing");
  const status = there ? (failing ? "degraded" : "ready") : "not_ready";
  const readiness: Readiness = {
    status,
    timestamp: new Date().toISOString(),
    schema,
    dependencies,
  };
  kept = { readiness, until: Date.now() + KEPT_MS };
  return readiness;
}

const UNKNOWN: DependencyState = {
  status: "unknown",
  latencyMs: null,
  detail: "Not checked yet; the health schedule does it every 5 minutes.",
};

/** Runs a check and cuts it after two seconds. What went wrong is told in general terms: answers may hold secrets. */
export async function timed(
  check: (signal: AbortSignal) => Promise<void>,
): Promise<DependencyState> {
  const started = Date.now();
  const signal = AbortSignal.timeout(CUT_MS);
  const cut = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("timeout"))),
  );
  try {
    await Promise.race([check(signal), cut]);
    return { status: "ok", latencyMs: Date.now() - started };
  } catch {
    const detail = signal.aborted
      ? `No answer within ${CUT_MS} ms.`
      : "It cannot be reached or refuses us.";
    return { status: "failing", latencyMs: Date.now() - started, detail };
  }
}

/** Whether jobs are worked as fast as they come. @param oldest seconds that the first one waits; null: unknown */
function jobsState(oldest: number | null, limit: number): DependencyState {
  if (oldest === null) return { status: "unknown", latencyMs: null };
  if (oldest <= limit) return { status: "ok", latencyMs: null };
  const detail = `Jobs have waited for ${Math.round(oldest)} seconds; none of low priority is taken.`;
  return { status: "failing", latencyMs: null, detail };
}

async function checkDatabase(settings: DatabaseSettings) {
  const stored = new Map<string, DependencyState>();
  let schemaVersion: number | null = null;
  let oldestJobSeconds: number | null = null;
  const state = await timed(async () => {
    const db = openDatabase(settings);
    await db.execute(sql`select 1`);
    const version = await db
      .select({ newest: sql<string | null>`max(created_at)` })
      .from(sql`drizzle.__drizzle_migrations`)
      .catch(() => []); // not migrated at all: the schema version says so
    schemaVersion = version[0]?.newest ? Number(version[0].newest) : null;
    if (schemaVersion !== EXPECTED_SCHEMA_VERSION) return;
    const [jobs] = await db
      .select({ seconds: sql<string>`extract(epoch FROM now() - ${jobPressure.oldestQueuedAt})` })
      .from(jobPressure);
    oldestJobSeconds = Number(jobs?.seconds ?? 0);
    for (const check of await db.select().from(healthChecks)) {
      stored.set(check.name, {
        status: check.status,
        latencyMs: check.latencyMs,
        ...(check.detail === null ? {} : { detail: check.detail }),
        checkedAt: check.checkedAt.toISOString(),
      });
    }
  });
  return {
    state,
    stored,
    // Assigned in the closure, which TypeScript cannot see.
    schemaVersion: schemaVersion as number | null,
    oldestJobSeconds: oldestJobSeconds as number | null,
  };
}

/** Asks the model service for its list of models, the one request that costs nothing. */
export async function checkAiService(
  settings: ReadinessInput["settings"],
): Promise<DependencyState> {
  const url = settings.AI_SERVICE_URL;
  if (url === null)
    return {
      status: "not_configured",
      latencyMs: null,
      detail: "AI_SERVICE_URL is not set; the model builtin answers.",
    };
  const headers: Record<string, string> = settings.AI_SERVICE_API_KEY
    ? { authorization: `Bearer ${settings.AI_SERVICE_API_KEY}` }
    : {};
  return timed(async (signal) => {
    const response = await fetch(`${url}/models`, { headers, signal, redirect: "manual" });
    await response.body?.cancel();
    if (response.status >= 500 || response.status === 401 || response.status === 403)
      throw new Error("refused");
  });
}
