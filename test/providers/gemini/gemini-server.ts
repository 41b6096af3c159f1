import type { ServerResponse } from "node:http";
import { type Fields, Refused } from "../expectations.ts";
import { writeAnswer } from "../fault-writer.ts";
import { type RecordedRequest, startRecordingServer } from "../recording-server.ts";
import { type Script, ScriptedRequests } from "../scripted-requests.ts";
import { contentOf, embeddingsOf, framesOf, replyTo } from "./content-protocol.ts";
import { checkRequest } from "./request-rules.ts";

/** A local server that speaks Google's Gemini API, and refuses what that refuses. */
export interface GeminiServer {
  /** What an operator puts as base_url: it ends with /v1beta. */
  url: string;
  requests: RecordedRequest[];
  requestsFor(model: string): RecordedRequest[];
  /** What requests for this model get from now on. */
  script(model: string, script: Script): void;
  stop(): Promise<void>;
}

/** https://cloud.google.com/apis/design/errors */
const STATUSES: Record<number, string> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

function errorBody(status: number, message: string) {
  const retry = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.07s" };
  const badKey = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" };
  const details =
    status === 429 ? [retry] : message.startsWith("API key not valid") ? [badKey] : [];
  return { error: { code: status, message, status: STATUSES[status] ?? "UNKNOWN", details } };
}

const METHODS =
  /^\/v1beta\/models\/([^/:]+):(generateContent|streamGenerateContent|batchEmbedContents)(?:\?(.*))?$/;

/**
 * Starts the server. It answers well unless a model is scripted: `pieces` is what the model writes, `finishReason` its
 * finishReason (`BLOCKED` blocks the prompt), and a status of 400 or more comes with an error body of this API.
 * @param apiKey what each request must have as `x-goog-api-key`
 */
export async function startGeminiServer(apiKey: string): Promise<GeminiServer> {
  const scripted = new ScriptedRequests(({ path }) => METHODS.exec(path)?.[1]);
  const { requests, requestsFor, script } = scripted;
  const issued = new Set<string>();

  const answer = async (request: RecordedRequest, response: ServerResponse): Promise<void> => {
    const { headers, body } = request;
    const [, model, method, query] = METHODS.exec(request.path) ?? [];
    if (headers["x-goog-api-key"] === undefined)
      throw new Refused(
        "Method doesn't allow unregistered callers (callers without established identity).",
        403,
      );
    if (headers["x-goog-api-key"] !== apiKey)
      throw new Refused("API key not valid. Please pass a valid API key.");
    if (request.method !== "POST" || model === undefined) throw new Refused("Not Found", 404);
    if (!model.startsWith("gemini-"))
      throw new Refused(
        `models/${model} is not found for API version v1beta, or is not supported for ${String(method)}.`,
        404,
      );
    if (!body) throw new Refused("Invalid JSON payload received.");
    const fault = scripted.scripted(model) ?? {};
    const status = fault.status ?? 200;
    if (status >= 400)
      return writeAnswer(response, fault, { body: errorBody(status, "The model is overloaded.") });
    if (method === "batchEmbedContents")
      return writeAnswer(response, fault, { body: embeddingsOf(body, model) });
    checkRequest(body, model, issued);
    const reply = replyTo(body, model, fault);
    for (const { parts } of reply.candidates) noteSignatures(parts, issued);
    if (method === "generateContent")
      return writeAnswer(response, fault, { body: contentOf(reply) });
    if (query !== "alt=sse") throw new Refused("This server streams events only: alt=sse", 501);
    return writeAnswer(response, fault, { framed: framesOf(reply) });
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
    url: `${server.url}/v1beta`,
    requests,
    requestsFor,
    script,
    stop: server.stop,
  };
}

function noteSignatures(parts: Fields[], issued: Set<string>): void {
  for (const { thoughtSignature } of parts)
    if (typeof thoughtSignature === "string") issued.add(thoughtSignature);
}
