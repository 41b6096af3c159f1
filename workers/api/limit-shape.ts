import { type LimitRow, shownQuantity } from "#core/limits/limit.ts";
import { LIMIT_UNITS, LIMIT_WINDOWS } from "#core/meter/limit-rule.ts";
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
