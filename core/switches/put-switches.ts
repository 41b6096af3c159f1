import { z } from "zod";
import type { switchboard } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context, TransactionContext } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { isId } from "../kernel/ids.ts";
import { requireSuperAdmin } from "../kernel/principal.ts";
import { line } from "../kernel/text.ts";
import { BUILTIN, CONFIGURED } from "../providers/catalog.ts";
import { PROVIDER_NAME } from "../providers/admin/provider.ts";
import { holdTeam } from "../teams/reach-team.ts";
import { changeSignal } from "./change-signal.ts";
import type { Switches } from "./switches.ts";

/** Every isolate reads them about once a second, so they are few. */
const OFF_LIMIT = 1_000;
const NAMED_LIMIT = 50;

const position = z.enum(["on", "off"]);
const named = (key: z.ZodString) =>
  z
    .record(key, position)
    .refine((all) => Object.keys(all).length <= NAMED_LIMIT, `at most ${NAMED_LIMIT} at once`)
    .default({});

export const putSwitchesInput = z.strictObject({
  bot: position.optional().describe("Off: says once in a chat that it is paused, then nothing"),
  writes: position.optional().describe("Off: every change is refused; requests for models go on"),
  providers: named(z.string().regex(PROVIDER_NAME, "must be the name of a provider")).describe(
    `Off: skipped as by an open circuit. \`${CONFIGURED}\` is the service of AI_SERVICE_URL, \`${BUILTIN}\` the builtin model`,
  ),
  teams: named(z.string().refine((id) => isId("team", id), "must be the id of a team")).describe(
    "Off: all its keys, tokens and chats are refused",
  ),
  reason: line(500).optional().describe("For the audit log"),
});

type Row = typeof switchboard.$inferSelect;

/**
 * Throws switches; what the input leaves out stays. It holds everywhere within a second of the return. Super admins only.
 * @throws AppError `forbidden`, `not_found` for a team that is not there, `conflict` where too many are off already
 */
export async function putSwitches(
  context: Context,
  input: z.infer<typeof putSwitchesInput>,
): Promise<Switches> {
  requireSuperAdmin(context.principal);
  const row = await context.transaction(async (inner) => {
    for (const [teamId, state] of Object.entries(input.teams))
      if (state === "off") await holdTeam(inner.db, teamId);
    const change = await changeSignal(inner, (before) => ({
      botOffAt: botOffAt(before, input.bot, inner.now()),
      writesOff: input.writes === undefined ? before.writesOff : input.writes === "off",
      providersOff: turned(before.providersOff, input.providers),
      teamsOff: turned(before.teamsOff, input.teams),
    }));
    await tell(inner, change, input.reason);
    return change.after;
  });
  context.log.warn("switches_thrown", { ...input });
  return row;
}

function botOffAt(before: Row, state: "on" | "off" | undefined, now: Date): Date | null {
  if (state === undefined) return before.botOffAt;
  return state === "on" ? null : (before.botOffAt ?? now);
}

function turned(off: readonly string[], changes: Record<string, "on" | "off">): string[] {
  const names = new Set(off);
  for (const [name, state] of Object.entries(changes))
    if (state === "off") names.add(name);
    else names.delete(name);
  if (names.size > OFF_LIMIT && names.size > off.length)
    throw new AppError("conflict", {
      message: `At most ${OFF_LIMIT} can be switched off at once. Delete those that are not to come back.`,
    });
  return [...names].toSorted();
}

/** One entry for what concerns all, and one for each team, which its admins see. */
async function tell(
  context: TransactionContext,
  { before, after }: { before: Row; after: Row },
  reason: string | undefined,
): Promise<void> {
  const shown = ({ botOffAt: bot, writesOff, providersOff }: Row) => ({
    bot: bot === null ? "on" : "off",
    writes: writesOff ? "off" : "on",
    providersOff,
  });
  const [was, is] = [shown(before), shown(after)];
  if (JSON.stringify(was) !== JSON.stringify(is)) {
    const change = { targetId: "installation", before: was, after: { ...is, reason } };
    await audit(context, { action: "switches.set", teamId: null, ...change });
  }
  for (const id of new Set([...before.teamsOff, ...after.teamsOff])) {
    const [wasOff, isOff] = [before.teamsOff.includes(id), after.teamsOff.includes(id)];
    if (wasOff === isOff) continue;
    const change = { before: { suspended: wasOff }, after: { suspended: isOff, reason } };
    const action = isOff ? "team.suspend" : "team.resume";
    await audit(context, { action, teamId: id, targetId: id, ...change });
  }
}
