import { type CircuitPolicy, models, type ModelTarget, providers, type STRATEGIES } from "#schema";
import { loadSignal } from "../switches/signal.ts";
import type { Database } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import type { TokenPrices } from "../kernel/money.ts";
import type { KindName } from "./kinds/kind.ts";

/** A provider as it is cached: its key stays sealed. */
export interface CatalogProvider {
  kind: KindName;
  baseUrl: string;
  apiKeySealed: string | null;
  timeoutMs: number;
  patience: Patience;
  /** When it was last changed, milliseconds since 1970. */
  updatedAt: number;
}

/** How long and how often a target is tried. Times are in milliseconds. */
export interface Patience {
  /** Until the first token of a stream; null leaves it to the pause between tokens. */
  firstTokenMs: number | null;
  /** The longest pause within an answer. */
  betweenTokensMs: number;
  /** For a whole request, all attempts together. */
  totalMs: number;
  /** How often an attempt that failed is repeated at the same target. */
  maxRetries: number;
  circuit: CircuitPolicy;
}

export const DEFAULT_CIRCUIT: CircuitPolicy = {
  windowMs: 30_000,
  minimumRequests: 10,
  errorRate: 0.5,
  slowMs: null,
  slowRate: 0.8,
  openMs: 10_000,
};

/** As long as OpenAI's own clients wait, in milliseconds. */
export const DEFAULT_TOTAL_MS = 600_000;
export const DEFAULT_RETRIES = 1;

export type Strategy = (typeof STRATEGIES)[number];

export type ModelPrices = TokenPrices;

/** The prices of a model's row, without those that it leaves out. */
export function pricesOf(row: typeof models.$inferSelect): ModelPrices {
  const { cachedInputPerMillionMicros: read, cacheWritePerMillionMicros: write } = row;
  const { cacheWrite1hPerMillionMicros: write1h } = row;
  return {
    inputPerMillionMicros: row.inputPerMillionMicros,
    outputPerMillionMicros: row.outputPerMillionMicros,
    ...(read === null ? {} : { cachedInputPerMillionMicros: read }),
    ...(write === null ? {} : { cacheWritePerMillionMicros: write }),
    ...(write1h === null ? {} : { cacheWrite1hPerMillionMicros: write1h }),
  };
}

/** A model as it is cached. */
export interface CatalogModel {
  targets: ModelTarget[];
  strategy: Strategy;
  hedgeAfterMs: number | null;
  prices: ModelPrices;
  maxOutputTokens: number | null;
  contextTokens: number | null;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** All providers and models by name; plain values, so that it can be cached anywhere. */
export interface Catalog {
  /** Of the signal when this was read: rows may be newer, never older. */
  version?: number;
  providers: Record<string, CatalogProvider>;
  models: Record<string, CatalogModel>;
}

/** The model service that the settings name, beside what admins have put into the database. */
export interface ConfiguredService {
  url: string | null;
  apiKey: string | null;
  /** Its models; empty means any name is passed on to it. */
  models: string[];
}

/** The stand-in that answers where no model service is configured. */
export const BUILTIN = "builtin";
/** What the provider from the settings is called in usage records. */
export const CONFIGURED = "default";

/** How to reach a configured service: milliseconds to the first byte. */
const CONFIGURED_TIMEOUT_MS = 60_000;

/** A model, and the ways to it. */
export interface ModelRoute {
  /** The name that the client used. */
  model: string;
  /** At least one, in the order in which they were put. */
  targets: readonly [Route, ...Route[]];
  strategy: Strategy;
  /** After how many milliseconds a request that is not streamed is sent a second time; null: never. */
  hedgeAfterMs: number | null;
  contextTokens: number | null;
  /** The most that any of its targets writes; null where one of them has no bound. */
  maxOutputTokens: number | null;
}

/** One target of a model: where a request goes. */
export interface Route {
  /** The name that the client used. */
  model: string;
  provider: string;
  /** The provider's own name of the model. */
  targetModel: string;
  /** Null for the builtin model, which the gateway plays itself. */
  endpoint: {
    kind: KindName;
    baseUrl: string;
    apiKey: string | null;
    apiKeySealed: string | null;
    timeoutMs: number;
  } | null;
  prices: ModelPrices;
  maxOutputTokens: number | null;
  contextTokens: number | null;
  weight: number;
  patience: Patience;
  /** What its circuit is called: the same for every model that leads there, another one once the provider was changed. */
  circuit: string;
}

const CONFIGURED_PATIENCE: Patience = {
  firstTokenMs: null,
  betweenTokensMs: CONFIGURED_TIMEOUT_MS,
  totalMs: DEFAULT_TOTAL_MS,
  maxRetries: DEFAULT_RETRIES,
  circuit: DEFAULT_CIRCUIT,
};

const FREE: ModelPrices = { inputPerMillionMicros: 0, outputPerMillionMicros: 0 };
/** What is known of a model that nobody put into the catalog. */
const OPEN = { prices: FREE, maxOutputTokens: null, contextTokens: null };

/** How many tokens the builtin model pretends to hold, so that trimming can be tried. */
const BUILTIN_CONTEXT_TOKENS = 8_192;

/** Reads all providers and models. */
export async function loadCatalog(db: Database): Promise<Catalog> {
  const { catalogVersion: version } = await loadSignal(db, 0); // first, so that the rows are at least as new
  const [providerRows, modelRows] = await Promise.all([
    db.select().from(providers),
    db.select().from(models),
  ]);
  return {
    version,
    providers: Object.fromEntries(
      providerRows.map(({ name, kind, baseUrl, apiKeySealed, timeoutMs, ...row }) => {
        const patience: Patience = {
          firstTokenMs: row.firstTokenMs,
          betweenTokensMs: row.betweenTokensMs ?? timeoutMs,
          totalMs: row.totalMs,
          maxRetries: row.maxRetries,
          circuit: row.circuit ?? DEFAULT_CIRCUIT,
        };
        const updatedAt = row.updatedAt.getTime();
        return [name, { kind, baseUrl, apiKeySealed, timeoutMs, patience, updatedAt }];
      }),
    ),
    models: Object.fromEntries(
      modelRows.map((row) => [
        row.name,
        {
          targets: row.targets,
          strategy: row.strategy,
          hedgeAfterMs: row.hedgeAfterMs,
          prices: pricesOf(row),
          maxOutputTokens: row.maxOutputTokens,
          contextTokens: row.contextTokens,
          createdAt: row.createdAt.getTime(),
        },
      ]),
    ),
  };
}

/**
 * Finds the ways to a model: what admins have put in comes first, then the configured service, then the builtin one.
 * @throws AppError `model_not_found`, or `misconfigured` when all of its providers are gone
 */
export function routeTo(model: string, catalog: Catalog, service: ConfiguredService): ModelRoute {
  const known = Object.hasOwn(catalog.models, model) ? catalog.models[model] : undefined;
  if (known && known.targets.length > 0) return aliasOf(model, known, catalog, service);
  if (model === BUILTIN) return onlyTarget(builtinTarget(model));
  const way = service.models.length === 0 || service.models.includes(model);
  const reached = way ? reach(CONFIGURED, catalog, service) : null;
  if (!reached) throw modelNotFound(model);
  const target = { model, provider: CONFIGURED, targetModel: model, weight: 1, ...reached };
  return onlyTarget({ ...OPEN, ...target, circuit: circuitName(CONFIGURED, model, 0) });
}

function aliasOf(
  model: string,
  known: CatalogModel,
  catalog: Catalog,
  service: ConfiguredService,
): ModelRoute {
  const { strategy, hedgeAfterMs, contextTokens } = known;
  const targets: Route[] = [];
  for (const { provider, model: targetModel, weight, ...own } of known.targets) {
    const reached = reach(provider, catalog, service);
    if (!reached) continue; // the others may still answer
    targets.push({
      model,
      provider,
      targetModel,
      weight,
      contextTokens,
      prices: own.prices ?? known.prices,
      maxOutputTokens: own.maxOutputTokens ?? known.maxOutputTokens,
      ...reached,
      circuit: circuitName(provider, targetModel, catalog.providers[provider]?.updatedAt ?? 0),
    });
  }
  const [first, ...others] = targets;
  if (!first) {
    throw new AppError("misconfigured", {
      message: `The provider of the model ${model} does not exist any more. An operator has to see to it.`,
    });
  }
  const maxOutputTokens = targets.reduce<number | null>(
    (most, { maxOutputTokens: own }) =>
      most === null || own === null ? null : Math.max(most, own),
    0,
  );
  const ways = [first, ...others] as const;
  return { model, targets: ways, strategy, hedgeAfterMs, contextTokens, maxOutputTokens };
}

function builtinTarget(model: string): Route {
  const way = { provider: BUILTIN, targetModel: BUILTIN, endpoint: null, weight: 1 };
  return {
    ...OPEN,
    ...way,
    model,
    contextTokens: BUILTIN_CONTEXT_TOKENS,
    patience: CONFIGURED_PATIENCE,
    circuit: circuitName(BUILTIN, BUILTIN, 0),
  };
}

function onlyTarget(target: Route): ModelRoute {
  const { model, contextTokens, maxOutputTokens } = target;
  const choice = { strategy: "ordered", hedgeAfterMs: null } as const;
  return { model, targets: [target], ...choice, contextTokens, maxOutputTokens };
}

/** A provider that was changed is another one: its circuits begin anew. */
const circuitName = (provider: string, targetModel: string, changedAt: number) =>
  `${provider} ${changedAt.toString(36)} ${targetModel}`;

/** Null where there is no such provider. */
function reach(
  provider: string,
  catalog: Catalog,
  service: ConfiguredService,
): (Pick<Route, "patience"> & { endpoint: NonNullable<Route["endpoint"]> }) | null {
  if (provider === CONFIGURED) {
    if (service.url === null) return null;
    const { url: baseUrl, apiKey } = service;
    const way = { kind: "openai", baseUrl, apiKey, apiKeySealed: null } as const;
    const endpoint = { ...way, timeoutMs: CONFIGURED_TIMEOUT_MS };
    return { endpoint, patience: CONFIGURED_PATIENCE };
  }
  const known = Object.hasOwn(catalog.providers, provider)
    ? catalog.providers[provider]
    : undefined;
  if (!known) return null;
  const { kind, baseUrl, apiKeySealed, timeoutMs, patience } = known;
  return { endpoint: { kind, baseUrl, apiKey: null, apiKeySealed, timeoutMs }, patience };
}

export function modelNotFound(model: string): AppError {
  return new AppError("model_not_found", {
    message: `The model ${JSON.stringify(model.slice(0, 200))} does not exist. GET /v1/models lists those that do.`,
    param: "model",
  });
}

/**
 * The model for requests that name none: the configured service's first, else the builtin one.
 * @param discovered what the service lists, asked for only where the settings name no model
 */
export async function defaultModel(
  service: ConfiguredService,
  discovered: () => Promise<string[]>,
): Promise<string> {
  if (service.url === null) return BUILTIN;
  const first = service.models[0] ?? (await discovered())[0];
  if (first !== undefined) return first;
  throw new AppError("invalid_request", {
    message: "Name a model: the model service lists none, and AI_SERVICE_MODEL is not set.",
    param: "model",
  });
}
