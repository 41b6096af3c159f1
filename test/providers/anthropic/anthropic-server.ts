import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type Fields, Refused } from "../expectations.ts";
import { writeAnswer } from "../fault-writer.ts";
import { type RecordedRequest, startRecordingServer } from "../recording-server.ts";
import { type Script, ScriptedRequests } from "../scripted-requests.ts";
import { framesOf, messageOf, replyTo } from "./message-protocol.ts";
import { checkRequest } from "./request-rules.ts";

/** A local server that speaks Anthropic's Messages API, and refuses what that refuses. */
export interface AnthropicServer {
  /** What an operator puts as base_url: it ends with /v1. */
  url: string;
  requests: RecordedRequest[];
  requestsFor(model: string): RecordedRequest[];
  /** What requests for this model get from now on. */
  script(model: string, script: Script): void;
  stop(): Promise<void>;
}

/** https://platform.claude.com/docs/en/api/errors */
const ERROR_TYPES: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};
const SENTENCES: Record<number, string> = {
  529: "Overloaded",
  429: "This request would exceed your rate limit.",
};

const errorBody = (status: number, message: string) => ({
  type: "error",
  error: { type: ERROR_TYPES[status] ?? "api_error", message },
  request_id: "req_011CSHoEeqs5C35K2UUqR7Fy",
});

/**
 * Starts the server. It answers well unless a model is scripted: `pieces` is what the model writes, `finishReason` its
 * stop_reason, and a status of 400 or more comes with an error body of this API.
 * @param apiKey what each request must have as `x-api-key`
 */
export async function startAnthropicServer(apiKey: string): Promise<AnthropicServer> {
  const scripted = new ScriptedRequests(({ body }) => body?.["model"]);
  const { requests, requestsFor, script } = scripted;
  const issued = new Set<string>();
  const prefixes = new Set<string>();
  /** Whether a marked prefix was sent before; null where nothing is marked. */
  const sawBefore = (body: Fields): boolean | null => {
    const text = JSON.stringify([body["model"], body["tools"], body["system"], body["messages"]]);
    const end = text.lastIndexOf('"cache_control"');
    if (end === -1) return null;
    const prefix = createHash("sha1").update(text.slice(0, end)).digest("hex");
    const seen = prefixes.has(prefix);
    prefixes.add(prefix);
    return seen;
  };

  const answer = async (request: RecordedRequest, response: ServerResponse): Promise<void> => {
    const { headers, body } = request;
    if (headers["x-api-key"] === undefined) throw new Refused("x-api-key header is required", 401);
    if (headers["x-api-key"] !== apiKey) throw new Refused("invalid x-api-key", 401);
    if (headers["anthropic-version"] !== "2023-06-01")
      throw new Refused("anthropic-version: header is required");
    if (request.method !== "POST" || request.path !== "/v1/messages")
      throw new Refused("Not Found", 404);
    if (headers["content-type"] !== "application/json" || !body)
      throw new Refused("The request body is not valid JSON.");
    const model = String(body["model"]);
    if (!model.startsWith("claude-")) throw new Refused(`model: ${model}`, 404);
    checkRequest(body, issued);
    const fault = scripted.scripted(model) ?? {};
    const status = fault.status ?? 200;
    if (status >= 400) {
      const error = errorBody(status, SENTENCES[status] ?? "Internal server error");
      return writeAnswer(response, fault, { body: error });
    }
    const reply = replyTo(body, fault, sawBefore(body));
    for (const { signature } of reply.content) if (signature) issued.add(String(signature));
    return writeAnswer(
      response,
      fault,
      body["stream"] === true ? { framed: framesOf(reply) } : { body: messageOf(reply) },
    );
  };

  const server = await startRecordingServer((request, response) => {
    requests.push(request);
    return answer(request, response).catch((error: unknown) => {
      const status = error instanceof Refused ? error.status : 500;
      const message = error instanceof Error ? error.message : String(error);
      return writeAnswer(response, { status }, { body: errorBody(status, message) });
    });
  });
  return {
    url: `${server.url}/v1`,
    requests,
    requestsFor,
    script,
    stop: server.stop,
  };
}
