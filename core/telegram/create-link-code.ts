import { z } from "zod";
import { telegramLinkCodes } from "#schema";
import { audit } from "../audit/audit.ts";
import { actorName, requireScope, requireTeam } from "../kernel/principal.ts";
import { hashLinkCode, newLinkCode } from "./link-code.ts";
import type { TelegramContext } from "./telegram-context.ts";

export const createLinkCodeInput = z.strictObject({
  /** How long the code can be used, in seconds; an hour unless told, a week at most. */
  expires_in_seconds: z.number().int().min(60).max(604_800).default(3_600),
});

export interface LinkCode {
  /** Shown this once only. Sent to the bot as `/start <code>`. */
  code: string;
  teamId: string;
  expiresAt: Date;
}

/**
 * Makes a code with which one Telegram chat can be linked to the principal's team.
 * @throws AppError `missing_scope` without the scope `admin`, `invalid_request` when a super admin names no team
 */
export async function createLinkCode(
  ctx: TelegramContext,
  input: z.infer<typeof createLinkCodeInput>,
): Promise<LinkCode> {
  requireScope(ctx.principal, "admin");
  const teamId = requireTeam(ctx.principal);
  const now = ctx.now();
  const code = newLinkCode();
  const expiresAt = new Date(now.getTime() + input.expires_in_seconds * 1000);
  const createdBy = actorName(ctx.principal);
  const codeHash = await hashLinkCode(code);
  await ctx.transaction(async (inner) => {
    await inner.db
      .insert(telegramLinkCodes)
      .values({ codeHash, teamId, createdBy, expiresAt, createdAt: now });
    // The code has no id but its hash, so the entry is the team's.
    const made = { targetId: teamId, after: { expires_at: expiresAt } };
    await audit(inner, { action: "team.telegram_code.create", teamId, ...made });
  });
  ctx.log.info("telegram_link_code_created", { team_id: teamId, created_by: createdBy });
  return { code, teamId, expiresAt };
}
