import { createLinkCode, createLinkCodeInput } from "#core/telegram/create-link-code.ts";
import { type LinkedChat, listLinks } from "#core/telegram/list-links.ts";
import { unlinkChat } from "#core/telegram/unlink-chat.ts";
import { emptyBodyAsObject } from "../middleware/empty-body.ts";
import { idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  jsonBody,
  jsonResponse,
  noContent,
  pageOf,
  pageQuery,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";

const codeSchema = z
  .object({
    code: z.string(),
    command: z.string().openapi({ description: "What to send to the bot, in any chat with it" }),
    team_id: z.string(),
    expires_at: z.string(),
  })
  .openapi("TelegramLinkCode");

const CODE_EXAMPLE: z.infer<typeof codeSchema> = {
  code: "k3n6p1q4zvx8d5t2w7r9m0ab",
  command: "/start k3n6p1q4zvx8d5t2w7r9m0ab",
  team_id: "team_01kajy7z3v8f6q2m9c4t5b1xwr",
  expires_at: "2026-11-21T10:30:00.000Z",
};

const linkSchema = z
  .object({
    chat_id: z.number().int(),
    team_id: z.string(),
    linked_by: z.number().int().nullable(),
    linked_at: z.string(),
    blocked_at: z.string().nullable(),
  })
  .openapi("TelegramLink");

const LINK_EXAMPLE: z.infer<typeof linkSchema> = {
  chat_id: 123456789,
  team_id: CODE_EXAMPLE.team_id,
  linked_by: 123456789,
  linked_at: "2026-11-21T09:30:00.000Z",
  blocked_at: null,
};

const encodeLink = (link: LinkedChat): z.infer<typeof linkSchema> => ({
  chat_id: link.chatId,
  team_id: link.teamId,
  linked_by: link.linkedBy,
  linked_at: link.linkedAt.toISOString(),
  blocked_at: link.blockedAt?.toISOString() ?? null,
});

const common = { tags: ["Telegram"], security };

const createContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/telegram/link-codes",
  middleware: emptyBodyAsObject,
  summary: "Make a code that links a Telegram chat to the team",
  description:
    "Needs the scope `admin`. The code is shown this once and serves one chat. Whoever opens `https://t.me/<bot>?start=<code>`, or sends the command to the bot, links that chat.",
  request: {
    headers: idempotencyHeader.extend(teamHeader.shape),
    ...jsonBody(createLinkCodeInput, { expires_in_seconds: 3600 }),
  },
  responses: { 201: jsonResponse("The code", codeSchema, CODE_EXAMPLE), ...problemResponses },
});

const listContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/telegram/links",
  summary: "List the team's Telegram chats",
  description: "Needs the scope `admin`. `blocked_at` is set where the bot was blocked or removed.",
  request: { query: pageQuery, headers: teamHeader },
  responses: {
    200: jsonResponse("Chats, by rising id", pageOf(linkSchema), {
      data: [LINK_EXAMPLE],
      next_cursor: null,
    }),
    ...problemResponses,
  },
});

const deleteContract = createRoute({
  ...common,
  method: "delete",
  path: "/v1/telegram/links/{chat_id}",
  summary: "Take a Telegram chat from the team",
  description: "Needs the scope `admin`. The bot turns the chat away within a minute.",
  request: {
    params: z.object({
      chat_id: z.coerce
        .number()
        .int()
        .openapi({ type: "integer", description: "The chat's id in Telegram", example: 123456789 }),
    }),
    headers: teamHeader,
  },
  responses: { 204: noContent("The chat is linked no more"), ...problemResponses },
});

export const telegramRoutes = createRouter()
  .openapi(createContract, async (c) => {
    const { body } = await idempotent(c, async (context) => {
      const { code, teamId, expiresAt } = await createLinkCode(context, c.req.valid("json"));
      const made = { code, command: `/start ${code}`, team_id: teamId };
      return { status: 201, body: { ...made, expires_at: expiresAt.toISOString() } };
    });
    return c.json(body, 201);
  })
  .openapi(listContract, async (c) => {
    const page = await listLinks(c.get("context"), c.req.valid("query"));
    return c.json({ data: page.items.map(encodeLink), next_cursor: page.nextCursor }, 200);
  })
  .openapi(deleteContract, async (c) => {
    await unlinkChat(c.get("context"), { chatId: c.req.valid("param").chat_id });
    return c.body(null, 204);
  });
