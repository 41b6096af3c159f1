import { sql } from "drizzle-orm";
import { VERSION } from "#core/kernel/version.ts";
import { newId } from "#core/kernel/ids.ts";
import { type DependencyState, timed } from "#platform/readiness.ts";
import type { BotDeps } from "./deps.ts";

/** Results are used again for this long, so that probes do not become load. */
const KEPT_MS = 5_000;

export interface BotReadiness {
  /** `not_ready` when the bot cannot reach what it needs to answer; `degraded` when Telegram fails. */
  status: "ready" | "degraded" | "not_ready";
  service: "bot";
  version: string;
  timestamp: string;
  dependencies: {
    telegram_api: DependencyState;
    external_services: DependencyState & { services: Record<"api" | "database", DependencyState> };
  };
}

let kept: { token: string | null; until: number; readiness: BotReadiness } | null = null;

/** Checks what the bot depends on, each for at most two seconds, at most every five seconds. */
export async function checkBotReadiness(deps: BotDeps): Promise<BotReadiness> {
  const token = deps.settings.TELEGRAM_BOT_TOKEN;
  if (kept && kept.token === token && Date.now() < kept.until) return kept.readiness;
  const [telegram, api, database] = await Promise.all([
    checkTelegram(deps),
    checkApi(deps),
    checkDatabase(deps),
  ]);
  const services = { api, database };
  const failing = Object.values(services).filter((state) => state.status === "failing");
  const readiness: BotReadiness = {
    status: failing.length > 0 ? "not_ready" : telegram.status === "failing" ? "degraded" : "ready",
    service: "bot",
    version: VERSION,
    timestamp: new Date().toISOString(),
    dependencies: {
      telegram_api: telegram,
      external_services: {
        status: failing.length > 0 ? "failing" : "ok",
        latencyMs: Math.max(...Object.values(services).map((state) => state.latencyMs ?? 0)),
        services,
      },
    },
  };
  kept = { token, until: Date.now() + KEPT_MS, readiness };
  return readiness;
}

async function checkTelegram({ telegram }: BotDeps): Promise<DependencyState> {
  if (!telegram)
    return { status: "not_configured", latencyMs: null, detail: "TELEGRAM_BOT_TOKEN is not set." };
  // grammY names the type of a polyfill; the platform's own signal is what it wants.
  return timed(
    async (signal) => void (await telegram.getMe(signal as Parameters<typeof telegram.getMe>[0])),
  );
}

/** The api Worker's own health route, which touches nothing: this checks the way there. */
function checkApi({ switchyard }: BotDeps): Promise<DependencyState> {
  return timed(async (signal) => {
    const response = await switchyard.fetch("https://internal/health", { signal });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`The api Worker answered ${response.status}`);
  });
}

function checkDatabase(deps: BotDeps): Promise<DependencyState> {
  return timed(async () => void (await deps.context(newId("request")).db.execute(sql`select 1`)));
}
