import { hasScope, requireScope, requireTeam } from "#core/kernel/principal.ts";
import { traceparentOf } from "#core/kernel/trace-context.ts";
import { withFailureRecord } from "#core/gateway/failure-record.ts";
import { RECOGNISERS } from "#core/skills/recognisers.ts";
import { admitRequest } from "./admit-request.ts";
import { guardRailsOf } from "./guard-rails-of.ts";
import { cachePolicyOf } from "#core/response-cache/cache-policy.ts";
import type { GatewayPorts, ModelCall } from "#core/gateway/model-call.ts";
import {
  type Catalog,
  type ConfiguredService,
  defaultModel,
  loadCatalog,
  type ModelRoute,
} from "#core/providers/catalog.ts";
import { CATALOG_KEY, type CatalogSources } from "#core/providers/catalog-cache.ts";
import { discoverModels } from "#platform/model-discovery.ts";
import { circuitStore } from "#platform/circuit-store.ts";
import { withoutProvidersOff } from "#core/switches/switches.ts";
import { openDatabase } from "#platform/database.ts";
import type { AppContext } from "./app-types.ts";
import type { AiBinding } from "./deps.ts";

/** How long the catalog stays in the shared cache, in seconds. */
const CATALOG_SECONDS = 30;
const END_USER_LIMIT = 200;

/** The model service that the settings name. */
export function configuredService(c: AppContext): ConfiguredService {
  const { AI_SERVICE_URL, AI_SERVICE_API_KEY, AI_SERVICE_MODEL } = c.get("deps").settings;
  return { url: AI_SERVICE_URL, apiKey: AI_SERVICE_API_KEY, models: AI_SERVICE_MODEL };
}

export function catalogSources(c: AppContext): CatalogSources {
  const { cache, settings, secrets } = c.get("deps");
  return {
    version: c.get("signal").catalogVersion,
    readCache: () => cache.get<Catalog>(CATALOG_KEY),
    writeCache: (catalog) => cache.set(CATALOG_KEY, catalog, CATALOG_SECONDS),
    load: () => loadCatalog(openDatabase(settings)),
    openKey: (provider, sealed) => secrets.open(sealed, `provider:${provider}`),
    background: (work) => c.executionCtx.waitUntil(work),
    now: Date.now,
  };
}

/** @throws AppError `model_not_found`, `unavailable`, `misconfigured`, `provider_switched_off` */
export function routeOf(c: AppContext, model: string): ModelRoute | Promise<ModelRoute> {
  const { catalog } = c.get("deps");
  const signal = c.get("signal");
  const known = catalog.ready(model, signal.catalogVersion, Date.now());
  if (known) return withoutProvidersOff(signal, known);
  const found = catalog.route(model, configuredService(c), catalogSources(c));
  return found.then((route) => withoutProvidersOff(signal, route));
}

/**
 * The model that answers where nobody names one.
 * @throws AppError `invalid_request` where there is none
 */
export function defaultModelOf(c: AppContext): Promise<string> {
  const service = configuredService(c);
  return defaultModel(service, () => discoverModels(service, c.get("deps").cache));
}

/** Runs models by the binding; null where the Worker has none. */
function runAiBy(ai: AiBinding | null): GatewayPorts["runAi"] {
  if (ai === null) return null;
  return (model, input, signal) => ai.run(model, input, { returnRawResponse: true, signal });
}

/**
 * For whom a call is: whom its token or header names, else its body, else the program itself that bears a token, since
 * it has no key to be counted by.
 */
export function endUserOf(call: ModelCall, named: string | null): string | null {
  if (call.endUser !== null || named !== null) return call.endUser ?? named;
  return call.principal.kind === "token" ? call.principal.subject.slice(0, END_USER_LIMIT) : null;
}

/** What the gateway reaches the world by, for this request. */
export function gatewayPorts(c: AppContext): GatewayPorts {
  const { usage, catalog, circuits, cache, answers } = c.get("deps");
  const teamId = requireTeam(c.get("principal"));
  const background = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  return {
    fetch: (url, init) => fetch(url, init),
    runAi: runAiBy(c.get("deps").ai),
    route: (model) => routeOf(c, model),
    openKey: (provider, sealed) => catalog.keyOf(provider, sealed, () => catalogSources(c)),
    admit: (call, model, asked) => admitRequest(c, call, model, asked),
    guardRails: (team) => guardRailsOf(c, team),
    circuits,
    syncCircuits: () => {
      const exchange = circuits.sync(circuitStore(cache), Date.now);
      if (exchange) background(exchange);
    },
    report(record) {
      const sent = usage.report(teamId, record);
      if (sent) background(sent);
    },
    background,
    createPipe: () => new IdentityTransformStream(),
    now: Date.now,
    answers,
    recognisers: RECOGNISERS,
  };
}

/**
 * This request as a call that is charged to somebody.
 * @throws AppError `invalid_request` when a super admin names no team
 */
export function callOf(
  c: AppContext,
  options: { endUser: string | null; sessionId?: string },
): ModelCall {
  const principal = c.get("principal");
  const trace = c.get("trace");
  const named =
    "endUser" in principal && principal.endUser !== null
      ? principal.endUser
      : (options.endUser ?? c.req.header("x-end-user") ?? null);
  const keySeconds = principal.kind === "key" ? (principal.cacheSeconds ?? null) : null;
  const cache = cachePolicyOf(
    keySeconds,
    c.req.header("x-cache-ttl"),
    c.req.header("cache-control"),
  );
  return {
    requestId: c.get("requestId"),
    receivedAt: c.get("receivedAt"),
    principal,
    teamId: requireTeam(principal),
    sessionId: options.sessionId ?? null,
    endUser: named === null || named === "" ? null : named.slice(0, END_USER_LIMIT),
    traceparent: traceparentOf(trace),
    tracestate: trace.traceState,
    clientSignal: c.req.raw.signal,
    ...(cache ? { cache } : {}),
  };
}

/**
 * This request as a call of a model. One that its key has no scope for makes a usage record too, as every request of a
 * team does.
 * @throws AppError `missing_scope`, or `invalid_request` when a super admin names no team
 */
export async function modelCall(
  c: AppContext,
  options: { endUser: string | null; sessionId?: string },
): Promise<ModelCall> {
  const call = callOf(c, options);
  const { principal } = call;
  if (!hasScope(principal, "chat")) {
    const refused = { ports: gatewayPorts(c), call, model: "" };
    await withFailureRecord(refused, async () => requireScope(principal, "chat"));
  }
  return call;
}
