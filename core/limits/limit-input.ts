import { z } from "zod";
import { dollarsToMicros } from "../kernel/money.ts";
import { isPlainText } from "../kernel/text.ts";
import {
  LIMIT_UNITS,
  LIMIT_WINDOWS,
  type LimitRule,
  type LimitUnit,
  type LimitWindow,
} from "../meter/limit-rule.ts";
import { LIMITS_PER_OWNER } from "./limit.ts";

/** A limit as somebody wants it, checked. `raise` is left out where the one that is set stays. */
export interface WantedLimit extends Pick<
  LimitRule,
  "unit" | "window" | "max" | "model" | "endUser" | "soft" | "onError"
> {
  raise?: { max: number; until: Date } | null;
}

/** What can be counted over what. Prices make money too coarse for short windows, as its worst case has to fit in. */
const WINDOWS: Record<LimitUnit, readonly LimitWindow[]> = {
  requests: LIMIT_WINDOWS,
  tokens: LIMIT_WINDOWS.filter((window) => window !== "second"),
  usd: ["hour", "day", "week", "month", "total"],
  concurrency: [],
};

/** Far above what anybody needs, and low enough for exact sums. */
const MAXIMA: Record<Exclude<LimitUnit, "usd">, number> = {
  requests: 1e12,
  tokens: 1e15,
  concurrency: 100_000,
};

const AMOUNT = 'must be a decimal string in US dollars with up to 6 decimals, such as "25.00"';

/** A quantity of a unit as it stands in a body; a sentence where it is none. */
export function readQuantity(unit: LimitUnit, value: number | string): number | { fault: string } {
  if (unit === "usd") {
    return (typeof value === "string" ? dollarsToMicros(value) : null) ?? { fault: AMOUNT };
  }
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAXIMA[unit])
    return value;
  return { fault: `must be a whole number from 0 to ${MAXIMA[unit]} for ${unit}` };
}

/** Money as a decimal string, everything else as a number; which of them is right depends on the unit. */
export const quantity = z.union([z.number(), z.string()]);

export const raiseEnd = z.iso
  .datetime({
    offset: true,
    error: "must be a time in ISO 8601 with its zone, such as 2027-01-31T00:00:00Z",
  })
  .transform((text) => new Date(text));

const shape = z.strictObject({
  id: z
    .string()
    .max(64)
    .optional()
    .describe(
      "Comes with the limits that are read, and says nothing here: a limit is known by what it limits",
    ),
  created_at: z.string().max(64).optional().describe("As `id`"),
  updated_at: z.string().max(64).optional().describe("As `id`"),
  unit: z.enum(LIMIT_UNITS),
  window: z
    .enum(LIMIT_WINDOWS)
    .nullable()
    .optional()
    .describe("By UTC, weeks from Monday; null for concurrency only"),
  max: quantity.describe('A number; for usd a decimal string such as "25.00"'),
  model: z
    .string()
    .regex(/^[!-)+-~]{1,200}$/, "must be the name of a model; leave it out for all of them")
    .nullable()
    .optional()
    .describe("Only requests for this model count"),
  end_user: z
    .string()
    .min(1)
    .max(200)
    .refine(isPlainText, "must not hold control characters or broken Unicode")
    .nullable()
    .optional()
    .describe("`*` counts each end user apart, a name only that one"),
  soft: z.boolean().default(false).describe("Warns, and refuses nothing"),
  on_error: z
    .enum(["open", "closed"])
    .optional()
    .describe("What holds while the Meter cannot be reached; open, but closed for usd"),
  raise: z
    .strictObject({ max: quantity, until: raiseEnd })
    .nullable()
    .optional()
    .describe("Another maximum until a time. Left out: what is set stays"),
});

/** One limit of a list. */
export const limitInput = shape.transform((input, check): WantedLimit => {
  const fault = (path: string[], message: string) =>
    check.issues.push({ code: "custom", input, path, message });
  const window = input.window ?? null;
  const windowFault = faultOfWindow(input.unit, window);
  if (windowFault !== null) fault(["window"], windowFault);
  const max = readQuantity(input.unit, input.max);
  if (typeof max !== "number") fault(["max"], max.fault);
  let raise: WantedLimit["raise"];
  if (input.raise) {
    const raised = readQuantity(input.unit, input.raise.max);
    if (typeof raised !== "number") fault(["raise", "max"], raised.fault);
    else raise = { max: raised, until: input.raise.until };
  } else raise = input.raise;
  if (check.issues.length > 0 || typeof max !== "number") return z.NEVER;
  return {
    unit: input.unit,
    window,
    max,
    model: input.model ?? null,
    endUser: input.end_user ?? null,
    soft: input.soft,
    onError: input.on_error ?? (input.unit === "usd" ? "closed" : "open"),
    ...(raise === undefined ? {} : { raise }),
  };
});

/** All limits of a team or a key. */
export const limitList = z
  .array(limitInput)
  .max(LIMITS_PER_OWNER, `must not be more than ${LIMITS_PER_OWNER}`)
  .superRefine((wanted, check) => {
    const seen = new Map<string, number>();
    if (check.issues.length > 0) return; // what is no limit has no subject
    for (const [index, limit] of wanted.entries()) {
      const subject = subjectOf(limit);
      const earlier = seen.get(subject);
      if (earlier === undefined) seen.set(subject, index);
      else {
        check.addIssue({
          code: "custom",
          path: [index],
          message: `limits the same as number ${earlier} of the list; keep one of them`,
        });
      }
    }
  });

/** The body of PUT …/limits; a list as GET gives it, and a bare one, are taken too. */
export const putLimitsInput = z.preprocess(
  (body) => {
    if (Array.isArray(body)) return { limits: body };
    if (typeof body === "object" && body !== null && "data" in body) {
      const { data, next_cursor: _, ...rest } = body as { data: unknown; next_cursor?: unknown }; // `in` has just shown it
      return { ...rest, limits: data };
    }
    return body;
  },
  z.strictObject({ limits: limitList }),
);

/** What a limit is known by: another maximum is a change of it, another subject is another limit. */
export function subjectOf(
  limit: Pick<LimitRule, "unit" | "window" | "model" | "endUser" | "soft">,
): string {
  return JSON.stringify([limit.unit, limit.window, limit.model, limit.endUser, limit.soft]);
}

function faultOfWindow(unit: LimitUnit, window: LimitWindow | null): string | null {
  const windows = WINDOWS[unit];
  if (windows.length === 0)
    return window === null ? null : `must be left out for ${unit}, which has no window`;
  if (window !== null && windows.includes(window)) return null;
  return `must be one of ${windows.join(", ")} for ${unit}`;
}
