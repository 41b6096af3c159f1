import { models, providers } from "#schema";
import type { Database } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import type { Micros } from "../kernel/money.ts";
import type { KindName } from "./kinds/kind.ts";

/** A provider as it is cached: its key stays sealed. */
export interface CatalogProvider {
  kind: KindName;
  baseUrl: string;
  apiKeySealed: string | null;
  timeoutMs: number;
}

export interface ModelPrices {
  inputPerMillionMicros: Micros;
  outputPerMillionMicros: Micros;
}

/** A model as it is cached. */
export interface CatalogModel {
  targets: { provider: string; model: string }[];
  prices: ModelPrices;
  maxOutputTokens: number | null;
  contextTokens: number | null;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** All providers and models by name; plain values, so that it can be cached anywhere. */
export interface Catalog {
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

/** Where a request for a model goes. */
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
}

const FREE: ModelPrices = { inputPerMillionMicros: 0, outputPerMillionMicros: 0 };

/** How many tokens the builtin model pretends to hold, so that trimming can be tried. */
const BUILTIN_CONTEXT_TOKENS = 8_192;

/** Reads all providers and models. */
export async function loadCatalog(db: Database): Promise<Catalog> {
  const [providerRows, modelRows] = await Promise.all([
    db.select().from(providers),
    db.select().from(models),
  ]);
  return {
    providers: Object.fromEntries(
      providerRows.map(({ name, kind, baseUrl, apiKeySealed, timeoutMs }) => [
        name,
        { kind, baseUrl, apiKeySealed, timeoutMs },
      ]),
    ),
    models: Object.fromEntries(
      modelRows.map((row) => [
        row.name,
        {
          targets: row.targets.map(({ provider, model }) => ({ provider, model })),
          prices: {
            inputPerMillionMicros: row.inputPerMillionMicros,
            outputPerMillionMicros: row.outputPerMillionMicros,
          },
          maxOutputTokens: row.maxOutputTokens,
          contextTokens: row.contextTokens,
          createdAt: row.createdAt.getTime(),
        },
      ]),
    ),
  };
}

/**
 * Finds the way to a model: what admins have put in comes first, then the configured service, then the builtin one.
 * @throws AppError `model_not_found`, or `misconfigured` when its provider is gone
 */
export function routeTo(model: string, catalog: Catalog, service: ConfiguredService): Route {
  const known = Object.hasOwn(catalog.models, model) ? catalog.models[model] : undefined;
  const target = known?.targets[0];
  if (known && target) {
    const endpoint = endpointOf(target.provider, catalog, service);
    if (!endpoint) {
      throw new AppError("misconfigured", {
        message: `The provider of the model ${model} does not exist any more. An operator has to see to it.`,
      });
    }
    const { prices, maxOutputTokens, contextTokens } = known;
    const { provider, model: targetModel } = target;
    return { model, provider, targetModel, endpoint, prices, maxOutputTokens, contextTokens };
  }
  const open = { prices: FREE, maxOutputTokens: null, contextTokens: null };
  if (model === BUILTIN) {
    const way = { provider: BUILTIN, targetModel: BUILTIN, endpoint: null };
    return { ...open, ...way, model, contextTokens: BUILTIN_CONTEXT_TOKENS };
  }
  const endpoint = endpointOf(CONFIGURED, catalog, service);
  if (endpoint && (service.models.length === 0 || service.models.includes(model))) {
    return { ...open, model, provider: CONFIGURED, targetModel: model, endpoint };
  }
  throw modelNotFound(model);
}

function endpointOf(
  provider: string,
  catalog: Catalog,
  service: ConfiguredService,
): Route["endpoint"] {
  if (provider === CONFIGURED) {
    if (service.url === null) return null;
    return {
      kind: "openai",
      baseUrl: service.url,
      apiKey: service.apiKey,
      apiKeySealed: null,
      timeoutMs: CONFIGURED_TIMEOUT_MS,
    };
  }
  const known = Object.hasOwn(catalog.providers, provider)
    ? catalog.providers[provider]
    : undefined;
  if (!known) return null;
  const { kind, baseUrl, apiKeySealed, timeoutMs } = known;
  return { kind, baseUrl, apiKey: null, apiKeySealed, timeoutMs };
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
