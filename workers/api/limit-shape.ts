import { type LimitRow, shownQuantity } from "#core/limits/limit.ts";
import { LIMIT_UNITS, LIMIT_WINDOWS } from "#core/meter/limit-rule.ts";
import type { LimitUsage } from "#core/meter/limit-state.ts";
import { z } from "./openapi.ts";

export const quantitySchema = z.union([z.number(), z.string()]).openapi({
  description: 'A number; for usd a decimal string such as "25.00"',
});

/** A limit that is set on a team or a key. */
export const limitSchema = z
  .object({
    id: z.string(),
    unit: z.enum(LIMIT_UNITS),
    window: z.enum(LIMIT_WINDOWS).nullable(),
    max: quantitySchema,
    model: z.string().nullable(),
    end_user: z.string().nullable(),
    soft: z.boolean(),
    on_error: z.enum(["open", "closed"]),
    raise: z.object({ max: quantitySchema, until: z.string() }).nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("Limit");

export const encodeLimit = (limit: LimitRow): z.infer<typeof limitSchema> => ({
  id: limit.id,
  unit: limit.unit,
  window: limit.window,
  max: shownQuantity(limit.unit, limit.max),
  model: limit.model,
  end_user: limit.endUser,
  soft: limit.soft,
  on_error: limit.onError,
  raise: encodeRaise(limit),
  created_at: limit.createdAt.toISOString(),
  updated_at: limit.updatedAt.toISOString(),
});

/** A raise that has ended is none. */
function encodeRaise({ unit, raiseMax, raiseUntil }: LimitRow) {
  if (raiseMax === null || raiseUntil === null || raiseUntil.getTime() <= Date.now()) return null;
  return { max: shownQuantity(unit, raiseMax), until: raiseUntil.toISOString() };
}

/** A limit with what is used of it. */
export const limitUsageSchema = z
  .object({
    id: z.string(),
    owner: z.string().openapi({ description: "The team, or the key that it is set on" }),
    unit: z.enum(LIMIT_UNITS),
    window: z.enum(LIMIT_WINDOWS).nullable(),
    model: z.string().nullable(),
    end_user: z.string().nullable().openapi({
      description:
        "Whose part this is; `*` shows what an end user has who has used nothing in this window",
    }),
    soft: z.boolean(),
    on_error: z.enum(["open", "closed"]),
    prepaid: z.boolean().openapi({ description: "The team's prepaid credits" }),
    raise: z.object({ max: quantitySchema, until: z.string() }).nullable(),
    max: quantitySchema.openapi({ description: "What holds now, with a raise and with refills" }),
    used: quantitySchema.openapi({ description: "By requests that have ended" }),
    reserved: quantitySchema.openapi({
      description: "Set aside for running requests, in the worst case; most of it comes back",
    }),
    remaining: quantitySchema.openapi({ description: "`max` less both, never below zero" }),
    resets_at: z.string().nullable(),
  })
  .openapi("LimitUsage");

export const encodeLimitUsage = (
  teamId: string,
  usage: LimitUsage,
): z.infer<typeof limitUsageSchema> => {
  const shown = (amount: number) => shownQuantity(usage.unit, amount);
  const { raise, resetsAt } = usage;
  return {
    id: usage.ruleId,
    owner: usage.keyId ?? teamId,
    unit: usage.unit,
    window: usage.window,
    model: usage.model,
    end_user: usage.endUser,
    soft: usage.soft,
    on_error: usage.onError,
    prepaid: usage.prepaid,
    raise: raise && { max: shown(raise.max), until: new Date(raise.until).toISOString() },
    max: shown(usage.max),
    used: shown(usage.used),
    reserved: shown(usage.reserved),
    remaining: shown(usage.remaining),
    resets_at: resetsAt === null ? null : new Date(resetsAt).toISOString(),
  };
};
