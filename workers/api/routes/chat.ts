import { putServedHeaders } from "#core/gateway/served-headers.ts";
import { AppError, toAppError } from "#core/kernel/errors.ts";
import { microsToDollars } from "#core/kernel/money.ts";
import { putLimitHeaders } from "#core/limits/limit-headers.ts";
import { takeTurn } from "#core/sessions/take-turn.ts";
import type { Turn, TurnAnswer, TurnRequest } from "#core/sessions/turn.ts";
import { turnInput } from "#core/sessions/turn-input.ts";
import type { AppContext } from "../app-types.ts";
import { putCacheHeaders } from "../model-answer.ts";
import { endUserOf, gatewayPorts, modelCall } from "../model-gateway.ts";
import { logRequest } from "../middleware/request-frame.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  jsonBody,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";
import { problemBody } from "../problem.ts";
import { recordFields } from "../record-fields.ts";
import { ServerEvents } from "../server-events.ts";
import { sessionPorts, toolBox, turnRetry } from "../session-ports.ts";

const answerSchema = z
  .object({
    session_id: z.string(),
    message_id: z.string(),
    reply: z.string(),
    model: z.string(),
    finish_reason: z.string().openapi({
      description:
        "The model's own reason, such as stop or length; aborted where the client ended the stream",
    }),
    usage: z.object({
      input_tokens: z.number().int(),
      output_tokens: z.number().int(),
      cost: z.string(),
    }),
  })
  .openapi("ChatAnswer");

const encodeAnswer = (answer: TurnAnswer): z.infer<typeof answerSchema> => ({
  session_id: answer.sessionId,
  message_id: answer.messageId,
  reply: answer.reply,
  model: answer.model,
  finish_reason: answer.finishReason,
  usage: {
    input_tokens: answer.inputTokens,
    output_tokens: answer.outputTokens,
    cost: microsToDollars(answer.costMicros),
  },
});

const chatContract = createRoute({
  method: "post",
  path: "/v1/chat",
  tags: ["Sessions"],
  summary: "Say something in a session, and get the model's answer",
  description: `The history is kept in the session. Without \`session_id\` a new session begins. A \`model\` or \`system\` holds for the session from then on; null takes it back. \`message\` is a text, or OpenAI's content parts with pictures (\`data:\` or https addresses). One turn at a time: meanwhile others get 409 \`session_busy\`. A turn that fails leaves nothing behind.

The model may use the team's skills as tools: those that change nothing, or those that \`skills\` names; an empty list offers none. They run here, with the rights of the caller, in at most five rounds, and cost what they cost elsewhere; \`usage\` has the sum of all.

With \`stream: true\` the answer is server-sent events: \`delta\` {"text"}, \`tool\` {"name","state"} with the states \`running\`, \`done\` and \`failed\`, with \`job_id\` and \`progress\` {"done","total","message"} where a skill has begun a job; then either \`done\` with the whole answer or \`error\` with a problem. The header \`x-session-id\` names the session at once. A client that hangs up keeps what was generated so far, with the finish_reason \`aborted\`.

With an \`Idempotency-Key\` the call can be sent again without saying the message twice: within 24 hours the same key and body in the same session (or, without \`session_id\`, from the same caller) get the answer that was given, marked \`idempotent-replayed: true\`; another body gets 422, and a call that still runs 409 \`session_busy\`. A call that is not streamed then goes on without its client. An answer that was broken off is none: the same call replaces it.`,
  security,
  request: {
    headers: idempotencyHeader.extend(teamHeader.shape),
    ...jsonBody(turnInput),
  },
  responses: {
    200: {
      description: "The answer, or its events",
      headers: z.object({ "x-session-id": z.string() }),
      content: {
        "application/json": { schema: answerSchema },
        "text/event-stream": { schema: z.string() },
      },
    },
    ...problemResponses,
  },
});

export const chatRoutes = createRouter().openapi(chatContract, async (c) => {
  const input = c.req.valid("json");
  const retry = await turnRetry(c);
  return input.stream === true
    ? streamTurn(c, { input, retry })
    : answerTurn(c, { input, retry, onPart: () => undefined });
});

async function beginTurn(c: AppContext, request: TurnRequest, gone?: AbortSignal): Promise<Turn> {
  const asked = await modelCall(c, { endUser: request.input.user ?? null });
  const call = { ...asked, endUser: endUserOf(asked, null) };
  const signals = [call.clientSignal, gone].filter((signal) => signal instanceof AbortSignal);
  const ports = { gateway: gatewayPorts(c), ...sessionPorts(c), toolBox: toolBox(c) };
  const work = takeTurn(ports, { ...call, clientSignal: AbortSignal.any(signals) }, request);
  c.executionCtx.waitUntil(work.catch(() => undefined)); // goes on when the client hangs up, so that the turn ends well
  return work;
}

async function answerTurn(c: AppContext, request: TurnRequest): Promise<Response> {
  const turn = await beginTurn(c, request);
  const answer = await turn.answer;
  setHeaders(c, turn);
  logTurn(c, turn);
  return c.json(encodeAnswer(answer), 200);
}

async function streamTurn(c: AppContext, request: Omit<TurnRequest, "onPart">): Promise<Response> {
  const gone = new AbortController();
  const events = new ServerEvents(() => gone.abort());
  const onPart: TurnRequest["onPart"] = (part) => {
    if (!("text" in part)) events.send("tool", part);
    else if (part.text !== "") events.send("delta", part);
  };
  const turn = await beginTurn(c, { ...request, onPart }, gone.signal);
  setHeaders(c, turn);
  logTurn(c, turn);
  c.executionCtx.waitUntil(endStream(c, turn, events));
  c.header("content-type", "text/event-stream; charset=utf-8");
  c.header("cache-control", "no-cache, no-transform");
  return c.body(events.body, 200);
}

async function endStream(c: AppContext, turn: Turn, events: ServerEvents): Promise<void> {
  try {
    events.send("done", encodeAnswer(await turn.answer));
  } catch (thrown) {
    const error = toAppError(thrown);
    if (!(thrown instanceof AppError)) c.get("log").error("turn_failed", { cause: thrown });
    events.send("error", problemBody(error, c.get("requestId")));
  }
  await events.close();
}

function setHeaders(c: AppContext, turn: Turn): void {
  c.set("upstreamMs", turn.upstreamMs);
  c.header("x-session-id", turn.sessionId);
  const limits = turn.admission?.states() ?? [];
  putLimitHeaders(limits, Date.now(), (name, value) => c.header(name, value));
  if (turn.cache) putCacheHeaders(turn.cache, (name, value) => c.header(name, value));
  if (turn.served) putServedHeaders(turn.served, (name, value) => c.header(name, value));
  if (turn.replayed) c.header("idempotent-replayed", "true");
}

/** Writes the request's log line once its model call has ended. */
function logTurn(c: AppContext, turn: Turn): void {
  const { record } = turn;
  if (!record) return;
  c.set("logsItself", true);
  const logged = record.then((ended) => {
    const fields = { ...(ended ? recordFields(ended) : {}), session_id: turn.sessionId };
    logRequest(c, ended?.status ?? 500, undefined, fields);
  });
  c.executionCtx.waitUntil(logged);
}
