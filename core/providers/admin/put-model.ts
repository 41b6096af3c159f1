import { eq } from "drizzle-orm";
import { z } from "zod";
import { models, type ModelTarget, providers, STRATEGIES } from "#schema";
import { audit } from "../../audit/audit.ts";
import type { Context, TransactionContext } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import { dollarsToMicros, type Micros } from "../../kernel/money.ts";
import { requireSuperAdmin } from "../../kernel/principal.ts";
import { changeCatalog } from "../../switches/change-signal.ts";
import { line } from "../../kernel/text.ts";
import { type ModelDefinition, MODEL_NAME, toModelDefinition } from "./model.ts";
import { CONFIGURED } from "../catalog.ts";
import { PROVIDER_NAME } from "./provider.ts";

/** Dollars per million tokens; far above any real price, and low enough that no request's cost leaves exact integers. */
const PRICE_LIMIT = 10_000;

const AMOUNT = 'must be a decimal string in US dollars with up to 6 decimals, such as "0.15"';

const price = z.string(AMOUNT).transform((text, check): Micros => {
  const micros = dollarsToMicros(text);
  if (micros === null) check.addIssue({ code: "custom", message: AMOUNT });
  else if (micros > PRICE_LIMIT * 1_000_000)
    check.addIssue({ code: "custom", message: `must not be over ${PRICE_LIMIT}` });
  else return micros;
  return z.NEVER;
});

const prices = z.strictObject({
  input_per_million: price.prefault("0").describe("US dollars for a million input tokens"),
  output_per_million: price.prefault("0").describe("US dollars for a million output tokens"),
  cached_input_per_million: price
    .optional()
    .describe("Of input that the provider has in its own prompt cache; left out: as other input"),
  cache_write_per_million: price
    .optional()
    .describe("Of input that the provider puts into its prompt cache; left out: as other input"),
  cache_write_1h_per_million: price
    .optional()
    .describe("Of input that it puts there for an hour; left out: as other writing"),
});

const tokens = z.number().int().min(1).max(100_000_000);

const target = z.strictObject({
  provider: z
    .string()
    .regex(PROVIDER_NAME, "must be the name of a provider")
    .describe(
      "The name of a provider, as put under /v1/admin/providers; `default` is the service of AI_SERVICE_URL",
    ),
  model: line(200).describe("The provider's own name for the model"),
  weight: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(1)
    .describe("Its share of the requests with the strategy `weighted`"),
  prices: prices.optional().describe("What it costs there; left out: the model's own prices"),
  max_output_tokens: tokens.optional().describe("As the model's, for this target only"),
});

/** More would only make a request wait longer for its error. */
const TARGET_LIMIT = 16;

export const putModelInput = z.strictObject({
  targets: z
    .array(target)
    .min(1, "must name a target")
    .max(TARGET_LIMIT, `must have at most ${TARGET_LIMIT} targets`)
    .refine(areDifferent, "must not name the same model of a provider twice"),
  strategy: z
    .enum(STRATEGIES)
    .default("ordered")
    .describe(
      "Which target is asked first: `ordered` as listed, `weighted` by chance, `latency` the faster of two taken by chance, `cost` the cheapest. The others follow when it fails",
    ),
  hedge_after_ms: z
    .number()
    .int()
    .min(50)
    .max(600_000)
    .nullable()
    .default(null)
    .describe(
      "Milliseconds after which a request that is not streamed is sent to the next target as well; the first good answer wins, and both are charged",
    ),
  prices: prices.optional().describe("Left out: its requests cost nothing"),
  max_output_tokens: tokens.nullable().default(null).describe("The most it writes in one answer"),
  context_tokens: tokens
    .nullable()
    .default(null)
    .describe("How many tokens prompt and answer may have together"),
});

function areDifferent(targets: { provider: string; model: string }[]): boolean {
  return (
    new Set(targets.map(({ provider, model }) => `${provider} ${model}`)).size === targets.length
  );
}

export interface ModelPut {
  model: ModelDefinition;
  created: boolean;
}

/**
 * Makes a model, or replaces the one of this name. Super admins only.
 * @throws AppError `forbidden`, `validation_failed` when the name or a field is wrong or the target's provider does not exist
 */
export async function putModel(
  context: Context,
  input: z.infer<typeof putModelInput> & { name: string },
): Promise<ModelPut> {
  requireSuperAdmin(context.principal);
  const { name, strategy } = input;
  const targets = input.targets.map(toTarget);
  if (!MODEL_NAME.test(name))
    throw invalid("name", "must have 1 to 200 of A-Z, a-z, 0-9 and ._:/-");
  const now = context.now();
  const changes = {
    targets,
    strategy,
    hedgeAfterMs: input.hedge_after_ms,
    inputPerMillionMicros: input.prices?.input_per_million ?? 0,
    outputPerMillionMicros: input.prices?.output_per_million ?? 0,
    cachedInputPerMillionMicros: input.prices?.cached_input_per_million ?? null,
    cacheWritePerMillionMicros: input.prices?.cache_write_per_million ?? null,
    cacheWrite1hPerMillionMicros: input.prices?.cache_write_1h_per_million ?? null,
    maxOutputTokens: input.max_output_tokens,
    contextTokens: input.context_tokens,
    updatedAt: now,
  };
  const { row, created } = await context.transaction(async (inner) => {
    for (const [index, { provider }] of targets.entries())
      await holdProvider(inner, provider, index);
    const inserted = await inner.db
      .insert(models)
      .values({ name, ...changes, createdAt: now })
      .onConflictDoNothing()
      .returning();
    const entry = { teamId: null, targetId: name };
    const [made] = inserted;
    if (made) await audit(inner, { action: "model.create", ...entry, after: made });
    const row = made ?? (await replaceModel(inner, name, changes));
    await changeCatalog(inner);
    return { row, created: made !== undefined };
  });
  if (!row)
    throw new AppError("conflict", {
      message: "The model was deleted at the same moment. Try again.",
    });
  context.log.info("model_put", { model: name, created });
  return { model: toModelDefinition(row), created };
}

/** Undefined where the model is gone. */
async function replaceModel(
  context: TransactionContext,
  name: string,
  changes: Partial<typeof models.$inferInsert>,
): Promise<typeof models.$inferSelect | undefined> {
  const own = eq(models.name, name);
  const [before] = await context.db.select().from(models).where(own).for("update");
  const [after] = await context.db.update(models).set(changes).where(own).returning();
  if (before && after)
    await audit(context, { action: "model.update", teamId: null, targetId: name, before, after });
  return after;
}

function toPrices(own: z.infer<typeof prices>): NonNullable<ModelTarget["prices"]> {
  const { cached_input_per_million: read, cache_write_per_million: write } = own;
  const { cache_write_1h_per_million: write1h } = own;
  return {
    inputPerMillionMicros: own.input_per_million,
    outputPerMillionMicros: own.output_per_million,
    ...(read === undefined ? {} : { cachedInputPerMillionMicros: read }),
    ...(write === undefined ? {} : { cacheWritePerMillionMicros: write }),
    ...(write1h === undefined ? {} : { cacheWrite1hPerMillionMicros: write1h }),
  };
}

function toTarget({
  prices: own,
  max_output_tokens,
  ...kept
}: z.infer<typeof target>): ModelTarget {
  return {
    ...kept,
    ...(own ? { prices: toPrices(own) } : {}),
    ...(max_output_tokens === undefined ? {} : { maxOutputTokens: max_output_tokens }),
  };
}

/** Makes sure that a target's provider is there, and stays until the transaction ends; see deleteProvider. */
async function holdProvider(context: Context, name: string, index: number): Promise<void> {
  if (name === CONFIGURED) return; // it stands in the settings, not in a row
  const [row] = await context.db
    .select({ name: providers.name })
    .from(providers)
    .where(eq(providers.name, name))
    .for("key share");
  if (!row)
    throw invalid(
      `targets.${index}.provider`,
      `is no provider; PUT /v1/admin/providers/${name} first`,
    );
}

function invalid(path: string, message: string): AppError {
  return new AppError("validation_failed", {
    message: `${path}: ${message}.`,
    fields: [{ path, message }],
  });
}
