import { deleteSession } from "#core/sessions/delete-session.ts";
import { getSession } from "#core/sessions/get-session.ts";
import { listMessages } from "#core/sessions/list-messages.ts";
import { listSessions } from "#core/sessions/list-sessions.ts";
import { resetSession } from "#core/sessions/reset-session.ts";
import type { SessionMessage } from "#core/sessions/session.ts";
import type { Session } from "#core/sessions/session-context.ts";
import { updateSession, updateSessionInput } from "#core/sessions/update-session.ts";
import type { AppContext } from "../app-types.ts";
import {
  createRoute,
  createRouter,
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
import { sessionPorts } from "../session-ports.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const summarySchema = z
  .object({
    id: z.string(),
    team_id: z.string(),
    key_id: z.string().nullable(),
    end_user: z.string().nullable(),
    title: z.string().nullable(),
    model: z.string().openapi({ description: "The model that answers next" }),
    messages: z.number().int(),
    usage: z
      .object({ input_tokens: z.number().int(), output_tokens: z.number().int() })
      .openapi({ description: "Sums of all turns, those before a reset too" }),
    created_at: z.string(),
    last_active_at: z.string(),
    expires_at: z
      .string()
      .openapi({ description: "When the session erases itself, unless it is used before" }),
  })
  .openapi("SessionSummary");

const sessionSchema = summarySchema.extend({ system: z.string().nullable() }).openapi("Session");

const partSchema = z.union([
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({
    type: z.literal("image_url"),
    image_url: z.object({
      url: z.string().nullable().openapi({
        description: "Null for a picture that was sent inline: it is told of, and not repeated",
      }),
      media_type: z.string().optional(),
      bytes: z.number().int().optional(),
    }),
  }),
]);

const messageSchema = z
  .object({
    id: z.string(),
    role: z.enum(["user", "assistant"]),
    content: z.union([z.string(), z.array(partSchema)]),
    model: z.string().nullable(),
    finish_reason: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi("SessionMessage");

const time = (milliseconds: number) => new Date(milliseconds).toISOString();

const encodeSummary = (c: AppContext, session: Session): z.infer<typeof summarySchema> => ({
  id: session.id,
  team_id: session.teamId,
  key_id: session.keyId,
  end_user: session.endUser,
  title: session.title,
  model: session.model,
  messages: session.messages,
  usage: { input_tokens: session.inputTokens, output_tokens: session.outputTokens },
  created_at: time(session.createdAt),
  last_active_at: time(session.lastActiveAt),
  expires_at: time(session.lastActiveAt + c.get("deps").settings.SESSION_IDLE_DAYS * DAY_MS),
});

const encodeSession = (c: AppContext, session: Session): z.infer<typeof sessionSchema> => ({
  ...encodeSummary(c, session),
  system: session.system,
});

const encodeMessage = (message: SessionMessage): z.infer<typeof messageSchema> => ({
  id: message.id,
  role: message.role,
  content: message.content,
  model: message.model,
  finish_reason: message.finishReason,
  created_at: time(message.createdAt),
});

const tags = ["Sessions"];
const params = z.object({ id: z.string() });
const answers = { 200: jsonResponse("The session", sessionSchema), ...problemResponses };

const listContract = createRoute({
  method: "get",
  path: "/v1/sessions",
  tags,
  summary: "List sessions, the last used first",
  security,
  request: {
    headers: teamHeader,
    query: pageQuery.extend({ end_user: z.string().max(200).optional() }),
  },
  responses: { 200: jsonResponse("Sessions", pageOf(summarySchema)), ...problemResponses },
});

const getContract = createRoute({
  method: "get",
  path: "/v1/sessions/{id}",
  tags,
  summary: "One session",
  security,
  request: { headers: teamHeader, params },
  responses: answers,
});

const updateContract = createRoute({
  method: "patch",
  path: "/v1/sessions/{id}",
  tags,
  summary: "Set a session's title, model or system prompt",
  description: "What is left out stays; null takes it back.",
  security,
  request: { headers: teamHeader, params, ...jsonBody(updateSessionInput) },
  responses: answers,
});

const deleteContract = createRoute({
  method: "delete",
  path: "/v1/sessions/{id}",
  tags,
  summary: "Erase a session and its history for good",
  security,
  request: { headers: teamHeader, params },
  responses: { 204: noContent("Erased"), ...problemResponses },
});

const messagesContract = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/messages",
  tags,
  summary: "What was said in a session, the newest first",
  security,
  request: { headers: teamHeader, params, query: pageQuery },
  responses: { 200: jsonResponse("Messages", pageOf(messageSchema)), ...problemResponses },
});

const resetContract = createRoute({
  method: "post",
  path: "/v1/sessions/{id}/reset",
  tags,
  summary: "Forget what was said in a session",
  description: "Title, model and system prompt stay.",
  security,
  request: { headers: teamHeader, params },
  responses: answers,
});

export const sessionRoutes = createRouter()
  .openapi(listContract, async (c) => {
    const { end_user: endUser, ...page } = c.req.valid("query");
    const listed = await listSessions(c.get("context"), sessionPorts(c), { ...page, endUser });
    const data = listed.items.map((session) => encodeSummary(c, session));
    return c.json({ data, next_cursor: listed.nextCursor }, 200);
  })
  .openapi(getContract, async (c) => {
    const { id: sessionId } = c.req.valid("param");
    const session = await getSession(c.get("context"), sessionPorts(c), { sessionId });
    return c.json(encodeSession(c, session), 200);
  })
  .openapi(updateContract, async (c) => {
    const input = { ...c.req.valid("json"), sessionId: c.req.valid("param").id };
    const session = await updateSession(c.get("context"), sessionPorts(c), input);
    return c.json(encodeSession(c, session), 200);
  })
  .openapi(deleteContract, async (c) => {
    const { id: sessionId } = c.req.valid("param");
    await deleteSession(c.get("context"), sessionPorts(c), { sessionId });
    return c.body(null, 204);
  })
  .openapi(messagesContract, async (c) => {
    const input = { ...c.req.valid("query"), sessionId: c.req.valid("param").id };
    const page = await listMessages(c.get("context"), sessionPorts(c), input);
    return c.json({ data: page.items.map(encodeMessage), next_cursor: page.nextCursor }, 200);
  })
  .openapi(resetContract, async (c) => {
    const { id: sessionId } = c.req.valid("param");
    const session = await resetSession(c.get("context"), sessionPorts(c), { sessionId });
    return c.json(encodeSession(c, session), 200);
  });
