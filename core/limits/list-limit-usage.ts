import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { hasScope, type Principal, requireTeam, seesUsageOf } from "../kernel/principal.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import type { LimitUsage, LimitViewer } from "../meter/limit-state.ts";

/** Asks the team's Meter. */
type ReadUsage = (teamId: string, viewer: LimitViewer) => Promise<LimitUsage[]>;

export const listLimitUsageInput = z.object({
  /** Shows this end user's part of limits that count each end user apart. */
  end_user: z.string().min(1).max(200).optional(),
});

/**
 * The limits that hold for whoever asks, with what is used of them: a key's own and its team's; all of the team, its
 * keys' and its fullest end users' among them, with the scope `admin`. Whoever stands for one end user sees that one's
 * part and nobody else's.
 * @throws AppError `invalid_request` when a super admin names no team, `unavailable` when the Meter is out of reach
 */
export async function listLimitUsage(
  { principal }: Pick<Context, "principal">,
  input: z.infer<typeof listLimitUsageInput> & PageRequest,
  readUsage: ReadUsage,
): Promise<Page<LimitUsage>> {
  const teamId = requireTeam(principal);
  const viewer = viewerOf(principal, input.end_user ?? null);
  const all = await readUsage(teamId, viewer).catch((cause: unknown) => {
    throw new AppError("unavailable", {
      message: "The limits cannot be read right now. Try again in a moment.",
      retryAfterSeconds: 1,
      cause,
    });
  });
  const after = input.cursor === undefined ? null : decodeCursor(input.cursor, 2).map(String);
  const rows = all
    .map((usage) => ({ usage, place: [usage.ruleId, usage.endUser ?? ""] }))
    .filter(({ place }) => after === null || isBefore(after, place))
    .toSorted((a, b) => (isBefore(a.place, b.place) ? -1 : 1));
  return toPage(
    rows.slice(0, input.limit + 1),
    input.limit,
    ({ usage }) => usage,
    ({ place }) => place,
  );
}

/** By the limit's id, then by the end user. */
function isBefore([rule = "", user = ""]: string[], [otherRule = "", otherUser = ""]: string[]) {
  return rule === otherRule ? user < otherUser : rule < otherRule;
}

function viewerOf(principal: Principal, asked: string | null): LimitViewer {
  const isAdmin = hasScope(principal, "admin");
  const own = principal.kind === "key" ? principal.keyId : null;
  const endUser = seesUsageOf(principal) ?? asked ?? (isAdmin ? "*" : null);
  return { keyId: isAdmin ? "*" : own, endUser };
}
