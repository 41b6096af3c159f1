import type { CircuitPolicy, providers } from "#schema";
import { AppError } from "../../kernel/errors.ts";
import type { KindName } from "../kinds/kind.ts";
import { BUILTIN, CONFIGURED, DEFAULT_CIRCUIT } from "../catalog.ts";

/** A model provider as admins see it: whether it has a key, never the key. */
export interface Provider {
  name: string;
  kind: KindName;
  /** Null for Workers AI, which is reached by its binding. */
  baseUrl: string | null;
  hasApiKey: boolean;
  /** Times are in milliseconds; see Patience. */
  timeoutMs: number;
  firstTokenMs: number | null;
  betweenTokensMs: number;
  totalMs: number;
  maxRetries: number;
  circuit: CircuitPolicy;
  createdAt: Date;
  updatedAt: Date;
}

/** What a provider may be called; it stands in paths and in usage records. */
export const PROVIDER_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Names that mean something of their own: the builtin model, and the service from the settings. */
const RESERVED = [BUILTIN, CONFIGURED];

/** Takes from a row what may be shown. */
export function toProvider({ apiKeySealed, ...provider }: typeof providers.$inferSelect): Provider {
  return {
    ...provider,
    baseUrl: provider.baseUrl === "" ? null : provider.baseUrl,
    betweenTokensMs: provider.betweenTokensMs ?? provider.timeoutMs,
    circuit: provider.circuit ?? DEFAULT_CIRCUIT,
    hasApiKey: apiKeySealed !== null,
  };
}

export function noSuchProvider(name: string): AppError {
  return new AppError("not_found", {
    message: `There is no provider ${JSON.stringify(name.slice(0, 64))}. GET /v1/admin/providers lists those that there are.`,
  });
}

/** @throws AppError `validation_failed` */
export function requireProviderName(name: string): void {
  const fault = !PROVIDER_NAME.test(name)
    ? "must have 1 to 64 of a-z, 0-9, dot, dash and underscore, and begin with a letter or digit"
    : RESERVED.includes(name)
      ? "is reserved; choose another name"
      : null;
  if (fault === null) return;
  throw new AppError("validation_failed", {
    message: `name: ${fault}.`,
    fields: [{ path: "name", message: fault }],
  });
}
