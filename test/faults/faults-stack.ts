import type { ApiClient } from "#test/harness/api-client.ts";
import { type FaultLink, startFaultLink } from "#test/harness/fault-link.ts";
import type { PostgresServer } from "#test/harness/postgres.ts";
import { type Stack, startStack, SUPER_ADMIN_KEY } from "#test/harness/stack.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";

export type Dependency = "provider" | "cache" | "database" | "meter";
export type FaultMode = "down" | "silent" | "slow" | "flapping";

/** A thousand dollars a million tokens: what a request costs is seen at once. */
const PRICES = { input_per_million: "1000", output_per_million: "1000" };
/** A flapping or slow Meter changes its state that often, in milliseconds. */
const METER_FLAP_MS = 700;

/**
 * Two processes: clients speak to the second one, whose Durable Objects, the Meters among them, live in the first. So
 * the Meter can be killed or stopped under an api Worker that runs on.
 */
export interface FaultsStack {
  stack: Stack;
  client(key: string): ApiClient;
  admin: ApiClient;
  /** Begins a fault; what it returns ends it. */
  begin(dependency: Dependency, mode: FaultMode): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

/** Starts everything, with two models: `alone` has the failing provider only, `pair` another one behind it. */
export async function startFaultsStack(postgres: PostgresServer): Promise<FaultsStack> {
  const failing = await startFaultProvider();
  const healthy = await startFaultProvider();
  const stack = await startStack({ postgres, vars: { USAGE_RESEND_SECONDS: "2" } });
  const links = {
    provider: await startFaultLink(new URL(failing.url).host),
    cache: await startFaultLink(stack.cacheAddress),
    database: await startFaultLink(postgres.neonProxy),
  };
  await stack.restart({
    UPSTASH_REDIS_REST_URL: `http://${links.cache.address}`,
    NEON_LOCAL_PROXY: links.database.address,
  });
  await putModels(stack, `http://${links.provider.address}/v1`, healthy);
  const second = await stack.startSecondApi();
  return {
    stack,
    client: second.client,
    admin: second.client(SUPER_ADMIN_KEY),
    begin: (dependency, mode) =>
      dependency === "meter" ? failMeter(stack, mode) : failLink(links[dependency], mode),
    async stop() {
      await second.stop();
      await stack.stop();
      for (const link of Object.values(links)) await link.stop();
      for (const provider of [failing, healthy]) await provider.stop();
    },
  };
}

async function putModels(stack: Stack, failingUrl: string, healthy: FaultProvider): Promise<void> {
  const patience = { timeout_ms: 1_500, timeouts: { between_tokens_ms: 1_500 } };
  const settings = { ...patience, retries: { max: 0 } };
  const failing = { ...settings, base_url: failingUrl };
  await stack.admin.expect(201, "PUT", "/v1/admin/providers/failing", failing);
  const other = { ...settings, base_url: healthy.url };
  await stack.admin.expect(201, "PUT", "/v1/admin/providers/healthy", other);
  const targets = ["failing", "healthy"].map((provider) => ({ provider, model: "ok" }));
  const model = { prices: PRICES, max_output_tokens: 50 };
  const alone = { ...model, targets: targets.slice(0, 1) };
  await stack.admin.expect(201, "PUT", "/v1/admin/models/alone", alone);
  await stack.admin.expect(201, "PUT", "/v1/admin/models/pair", { ...model, targets });
}

async function failLink(link: FaultLink, mode: FaultMode) {
  await link.set(mode);
  return () => link.set("up");
}

/** Kills or stops the process that the Meters live in. */
async function failMeter(stack: Stack, mode: FaultMode): Promise<() => Promise<void>> {
  if (mode === "down") {
    await stack.halt();
    return () => stack.restart();
  }
  stack.freeze();
  if (mode === "silent") return async () => stack.thaw();
  let isFrozen = true;
  const flap = () => {
    isFrozen = !isFrozen;
    if (isFrozen) stack.freeze();
    else stack.thaw();
  };
  // A slow one answers now and then for a moment; a flapping one is there half of the time.
  const timer = setInterval(flap, mode === "slow" ? METER_FLAP_MS / 2 : METER_FLAP_MS * 2);
  return async () => {
    clearInterval(timer);
    stack.thaw();
  };
}
