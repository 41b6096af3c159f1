import {
  DEFAULT_CIRCUIT,
  type ModelRoute,
  type Patience,
  type Route,
} from "#core/providers/catalog.ts";

export const PATIENCE: Patience = {
  firstTokenMs: null,
  betweenTokensMs: 200,
  totalMs: 60_000,
  maxRetries: 0,
  circuit: DEFAULT_CIRCUIT,
};

/** A target at a provider that takes no key. */
export function routeOf(provider: string, more: Partial<Route> = {}): Route {
  return {
    model: "ours",
    provider,
    targetModel: "their-model",
    endpoint: {
      kind: "openai",
      baseUrl: "https://provider.test/v1",
      apiKey: null,
      apiKeySealed: null,
      timeoutMs: 200,
    },
    prices: { inputPerMillionMicros: 0, outputPerMillionMicros: 0 },
    maxOutputTokens: null,
    contextTokens: null,
    weight: 1,
    patience: PATIENCE,
    circuit: `${provider} their-model`,
    ...more,
  };
}

/** A model with these targets. */
export function modelRouteOf(
  targets: readonly [Route, ...Route[]],
  more: Partial<ModelRoute> = {},
): ModelRoute {
  const open = { contextTokens: null, maxOutputTokens: null, hedgeAfterMs: null };
  return { model: targets[0].model, targets, strategy: "ordered", ...open, ...more };
}
