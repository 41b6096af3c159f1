import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { shownQuantity } from "./limit.ts";
import type { WantedLimit } from "./limit-input.ts";
import { readLimits } from "./read-limits.ts";

type Bound = Pick<
  WantedLimit,
  "unit" | "window" | "max" | "model" | "endUser" | "soft" | "onError"
> & {
  raise?: { max: number } | null;
};

/**
 * Nobody hands out more than they have: a key with limits of its own can neither loosen them, nor give another key
 * looser ones, nor read the secret of a key that has looser ones. Super admins and keys without limits are free.
 * @throws AppError `forbidden`
 */
export async function requireNoLooser(context: Context, wanted: readonly Bound[]): Promise<void> {
  for (const own of await limitsOfPrincipal(context)) {
    if (own.soft || wanted.some((limit) => covers(limit, own))) continue;
    const what = `${shownQuantity(own.unit, own.max)} ${own.unit}${own.window === null ? "" : ` by ${own.window}`}`;
    throw new AppError("forbidden", {
      message: `A key cannot loosen its own limits, nor give looser ones: this key may use ${what}. Use a key that has no such limit.`,
    });
  }
}

/** The limits of the key that acts; none for everybody else. */
export async function limitsOfPrincipal(context: Context) {
  const { principal, db } = context;
  if (principal.kind !== "key") return [];
  return readLimits(db, { teamId: principal.teamId, keyId: principal.keyId });
}

/** Whether a limit holds back at least all that another one does. */
function covers(limit: Bound, own: Bound): boolean {
  return (
    !limit.soft &&
    limit.unit === own.unit &&
    limit.window === own.window &&
    (limit.model === null || limit.model === own.model) &&
    (limit.endUser === null || limit.endUser === own.endUser) &&
    Math.max(limit.max, limit.raise?.max ?? 0) <= own.max &&
    (limit.onError === "closed" || own.onError === "open")
  );
}
