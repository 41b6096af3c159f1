import { z } from "zod";
import { telegramLinkCodes } from "#schema";
import { requireScope, requireTeam } from "../kernel/principal.ts";
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
  const createdBy =
    ctx.principal.kind === "key" ? `key:${ctx.principal.keyId}` : ctx.principal.kind;
  await ctx.db
    .insert(telegramLinkCodes)
    .values({ codeHash: await hashLinkCode(code), teamId, createdBy, expiresAt, createdAt: now });
  ctx.log.info("telegram_link_code_created", { team_id: teamId, created_by: createdBy });
  return { code, teamId, expiresAt };
}
