import { completeChat } from "#core/gateway/complete-chat.ts";
import { withFailureRecord } from "#core/gateway/failure-record.ts";
import type { ChatRequest } from "#core/gateway/chat-request.ts";
import type { ModelAnswer, ModelCall } from "#core/gateway/model-call.ts";
import { putServedHeaders } from "#core/gateway/served-headers.ts";
import {
  type EventWriter,
  faultEvent,
  translateStream,
} from "#core/gateway/shapes/translate-stream.ts";
import { putLimitHeaders } from "#core/limits/limit-headers.ts";
import type { UsageRecord } from "#core/usage/usage-record.ts";
import type { AppContext } from "./app-types.ts";
import { endUserOf, gatewayPorts, modelCall } from "./model-gateway.ts";
import { logRequest, putFrameHeaders } from "./middleware/request-frame.ts";
import { recordFields } from "./record-fields.ts";

/** Sends a model's answer, and writes the log line once it has ended. */
export function answerResponse(c: AppContext, answer: ModelAnswer): Response {
  c.set("upstreamMs", answer.upstreamMs);
  logOnceEnded(c, answer.record);
  const headers: Record<string, string> = { "content-type": answer.contentType };
  const put = (name: string, value: string) => {
    headers[name] = value;
  };
  putFrameHeaders(c, put);
  c.set("framed", true);
  if (typeof answer.body !== "string") headers["cache-control"] = "no-cache, no-transform";
  if (answer.cache) putCacheHeaders(answer.cache, put);
  const { leftOut } = answer;
  if (leftOut && leftOut.length > 0) headers["x-parameters-left-out"] = leftOut.join(", ");
  if (answer.cache?.state !== "hit") putServedHeaders(answer.served, put);
  if (answer.admission) putLimitHeaders(answer.admission.states(), Date.now(), put);
  return new Response(answer.body, { headers });
}

/** Says what the response cache had, and of a hit how old it is, in seconds. */
export function putCacheHeaders(
  { state, storedAt }: NonNullable<ModelAnswer["cache"]>,
  put: (name: string, value: string) => void,
): void {
  put("x-cache", state);
  if (storedAt) put("age", String(Math.floor((Date.now() - storedAt) / 1_000)));
}

function logOnceEnded(c: AppContext, ended: ModelAnswer["record"]): void {
  const log = (record: UsageRecord) =>
    logRequest(c, record.status, undefined, recordFields(record));
  c.set("logsItself", true);
  if (ended instanceof Promise) c.executionCtx.waitUntil(ended.then(log));
  else log(ended);
}

/** How one request of another API is put into a chat completion, and its answer taken out of it. */
export interface ShapedRequest {
  chat: ChatRequest;
  /** Guard rails have masked some of it already. */
  inputMasked?: boolean;
  /** Writes a whole chat completion, as JSON text, in the client's shape. */
  writeWhole(completion: string): string | Promise<string>;
  /** Writes the events of one streamed answer; null where none is asked for. */
  writeEvents: (() => EventWriter) | null;
}

/**
 * Answers a request of another API by a chat completion: the same rules, one usage record, the same log line.
 * @throws AppError as completeChat does, and what reading the body throws
 */
export async function answerInShape(
  c: AppContext,
  read: (body: string, call: ModelCall) => Promise<ShapedRequest> | ShapedRequest,
): Promise<Response> {
  const call = await modelCall(c, { endUser: null });
  const ports = gatewayPorts(c);
  const shaped = await withFailureRecord({ ports, call, model: "" }, async () =>
    read(await c.req.text(), call),
  );
  const endUser = endUserOf(call, shaped.chat.user);
  const { inputMasked = false } = shaped;
  const work = completeChat(ports, { ...call, endUser, inputMasked }, shaped.chat, faultEvent);
  c.executionCtx.waitUntil(work.catch(() => undefined)); // goes on when the client hangs up, so that it is accounted for
  const answer = await work;
  return answerResponse(c, { ...answer, body: await writtenIn(shaped, answer.body) });
}

function writtenIn({ writeWhole, writeEvents }: ShapedRequest, body: ModelAnswer["body"]) {
  if (typeof body === "string") return writeWhole(body);
  if (writeEvents === null) throw new Error("A stream came where none was asked for");
  return translateStream(body, writeEvents());
}
