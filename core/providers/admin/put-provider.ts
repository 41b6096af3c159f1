import { eq } from "drizzle-orm";
import { z } from "zod";
import { type CircuitPolicy, providers } from "#schema";
import { audit } from "../../audit/audit.ts";
import type { Context, TransactionContext } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import { requireSuperAdmin } from "../../kernel/principal.ts";
import { changeCatalog } from "../../switches/change-signal.ts";
import { addressFault } from "../../kernel/public-address.ts";
import { DEFAULT_CIRCUIT, DEFAULT_RETRIES, DEFAULT_TOTAL_MS } from "../catalog.ts";
import { KIND_NAMES, type KindName } from "../kinds/kind.ts";
import { kindOf } from "../kinds/kinds.ts";
import { type Provider, requireProviderName, toProvider } from "./provider.ts";

/** A header value has to hold it, after `Bearer `. */
const apiKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,4096}$/, "must be 1 to 4096 printable ASCII characters without spaces");

const milliseconds = (least: number) => z.number().int().min(least).max(3_600_000);
const share = z.number().min(0.01).max(1);

const timeouts = z.strictObject({
  first_token_ms: milliseconds(100)
    .nullable()
    .default(null)
    .describe("Until the first token of a stream; null: only `between_tokens_ms` holds"),
  between_tokens_ms: milliseconds(100)
    .nullable()
    .default(null)
    .describe("The longest pause within an answer; null: as `timeout_ms`"),
  total_ms: milliseconds(1_000)
    .default(DEFAULT_TOTAL_MS)
    .describe("For a whole request, all attempts and pauses together"),
});

const circuit = z.strictObject({
  window_ms: milliseconds(1_000).default(DEFAULT_CIRCUIT.windowMs),
  minimum_requests: z.number().int().min(1).max(10_000).default(DEFAULT_CIRCUIT.minimumRequests),
  error_rate: share.default(DEFAULT_CIRCUIT.errorRate),
  slow_ms: milliseconds(1).nullable().default(DEFAULT_CIRCUIT.slowMs),
  slow_rate: share.default(DEFAULT_CIRCUIT.slowRate),
  open_ms: milliseconds(100).default(DEFAULT_CIRCUIT.openMs),
});

export const putProviderInput = z.strictObject({
  kind: z.enum(KIND_NAMES).default("openai").describe("The protocol that it speaks"),
  base_url: z
    .string()
    .trim()
    .max(2048)
    .nullish()
    .describe(
      "Where its API begins, such as https://api.openai.com/v1. Left out: Anthropic's or Google's own; `workers_ai` has none",
    ),
  api_key: apiKey
    .nullable()
    .optional()
    .describe("Kept encrypted and never shown again. Left out: stays as it is; null: taken away"),
  timeout_ms: z
    .number()
    .int()
    .min(1_000)
    .max(600_000)
    .default(60_000)
    .describe("Milliseconds until the first byte of an answer"),
  timeouts: timeouts.prefault({}),
  retries: z
    .strictObject({ max: z.number().int().min(0).max(5).default(DEFAULT_RETRIES) })
    .prefault({})
    .describe("How often a failed attempt is repeated here before the next target is asked"),
  circuit: circuit
    .prefault({})
    .describe(
      "When the circuit of one of its models opens: at this share of failed or slow requests in the window, for `open_ms` at first",
    ),
});

export interface ProviderPut {
  provider: Provider;
  created: boolean;
}

/**
 * Makes a provider, or replaces the one of this name. Super admins only.
 * @param input `allowPrivate` lets addresses on private networks pass, for development
 * @throws AppError `forbidden`, `validation_failed`
 */
export async function putProvider(
  context: Context,
  input: z.infer<typeof putProviderInput> & { name: string; allowPrivate: boolean },
): Promise<ProviderPut> {
  requireSuperAdmin(context.principal);
  const { name, kind, timeout_ms: timeoutMs } = input;
  requireProviderName(name);
  const baseUrl = readBaseUrl(kind, input.base_url ?? null, input.allowPrivate);
  const apiKeySealed =
    typeof input.api_key === "string"
      ? await context.secrets.seal(input.api_key, `provider:${name}`)
      : input.api_key;
  const now = context.now();
  const changes = {
    kind,
    baseUrl,
    apiKeySealed,
    timeoutMs,
    firstTokenMs: input.timeouts.first_token_ms,
    betweenTokensMs: input.timeouts.between_tokens_ms,
    totalMs: input.timeouts.total_ms,
    maxRetries: input.retries.max,
    circuit: toCircuitPolicy(input.circuit),
    updatedAt: now,
  };
  const result = await context.transaction(async (inner) => {
    const inserted = await inner.db
      .insert(providers)
      .values({ name, ...changes, createdAt: now })
      .onConflictDoNothing()
      .returning();
    const entry = { teamId: null, targetId: name };
    const [made] = inserted;
    if (made) await audit(inner, { action: "provider.create", ...entry, after: made });
    const row = made ?? (await replaceProvider(inner, name, changes));
    await changeCatalog(inner);
    return { row, created: made !== undefined };
  });
  if (!result.row)
    throw new AppError("conflict", {
      message: "The provider was deleted at the same moment. Try again.",
    });
  const { created } = result;
  context.log.info("provider_put", { provider: name, created });
  return { provider: toProvider(result.row), created };
}

/** Undefined where the provider is gone. */
async function replaceProvider(
  context: TransactionContext,
  name: string,
  changes: Partial<typeof providers.$inferInsert>,
): Promise<typeof providers.$inferSelect | undefined> {
  const own = eq(providers.name, name);
  const [before] = await context.db.select().from(providers).where(own).for("update");
  const [after] = await context.db.update(providers).set(changes).where(own).returning();
  if (before && after)
    await audit(context, {
      action: "provider.update",
      teamId: null,
      targetId: name,
      before,
      after,
    });
  return after;
}

function toCircuitPolicy(input: z.infer<typeof circuit>): CircuitPolicy {
  return {
    windowMs: input.window_ms,
    minimumRequests: input.minimum_requests,
    errorRate: input.error_rate,
    slowMs: input.slow_ms,
    slowRate: input.slow_rate,
    openMs: input.open_ms,
  };
}

/**
 * Where a provider's API begins; empty for one without an address.
 * @throws AppError `validation_failed`
 */
function readBaseUrl(kind: KindName, given: string | null, allowPrivate: boolean): string {
  if (kind !== "workers_ai") return cleanBaseUrl(given ?? kindOf(kind).baseUrl ?? "", allowPrivate);
  if (given === null) return "";
  const message = "must be left out: Workers AI is reached by the Worker's own binding";
  throw new AppError("validation_failed", {
    message: `base_url: ${message}.`,
    fields: [{ path: "base_url", message }],
  });
}

/**
 * An address to which paths are appended.
 * @throws AppError `validation_failed`
 */
function cleanBaseUrl(text: string, allowPrivate: boolean): string {
  const fault = addressFault(text, { allowPrivate })?.message ?? queryFault(text);
  if (fault !== null) {
    throw new AppError("validation_failed", {
      message: `base_url: ${fault}.`,
      fields: [{ path: "base_url", message: fault }],
    });
  }
  return new URL(text).href.replace(/\/+$/, "");
}

function queryFault(text: string): string | null {
  return /[?#]/.test(text) ? "must end with its path, without ? or #" : null;
}
