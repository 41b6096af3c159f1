import type { ServerResponse } from "node:http";
import type OpenAI from "openai";
import { writeAnswer } from "./fault-writer.ts";
import {
  type ChatParameters,
  chunksOf,
  completionOf,
  embeddingsOf,
} from "./completion-protocol.ts";
import { type Fault, faultOfName, LEAK_MARK } from "./fault.ts";
import { type RecordedRequest, startRecordingServer } from "./recording-server.ts";
import { type Script, ScriptedRequests } from "./scripted-requests.ts";

export interface FaultProviderOptions {
  /** The key that every request must have; any is taken by default. */
  apiKey?: string;
  /** The models that there are; by default every name is one. */
  models?: string[];
}

/** An OpenAI-compatible server that does what it is told to do wrong. */
export interface FaultProvider {
  /** What a client takes as its base URL: it ends with /v1. */
  url: string;
  requests: RecordedRequest[];
  /** The requests that named this model. */
  requestsFor(model: string): RecordedRequest[];
  /** What requests for this model get from now on. */
  script(model: string, script: Script): void;
  stop(): Promise<void>;
}

const LISTED = ["fault-1", "org/fault-large"];

/**
 * Starts a server that speaks OpenAI's protocol (models, chat completions, embeddings) and answers well, unless the
 * request asks for a fault: by a scripted model, by a model of the name `fault/NAME`, or by the field `x_fault` of its
 * body, which is a name or a fault itself.
 */
export async function startFaultProvider(
  options: FaultProviderOptions = {},
): Promise<FaultProvider> {
  const scripted = new ScriptedRequests(({ body }) => body?.["model"]);
  const { requests, requestsFor, script } = scripted;

  const faultFor = (body: Record<string, unknown>): Fault => {
    const { model, x_fault: asked } = body;
    if (typeof asked === "string") return faultOfName(asked);
    if (typeof asked === "object" && asked !== null) return asked; // a test's own, typed where it was written
    const planned = scripted.scripted(String(model));
    if (planned) return planned;
    const name = /^fault\/(.+)$/.exec(String(model))?.[1];
    return name === undefined ? {} : faultOfName(name);
  };

  const answer = async (request: RecordedRequest, response: ServerResponse): Promise<void> => {
    const json = (status: number, body: object) => writeAnswer(response, { status }, { body });
    if (
      options.apiKey !== undefined &&
      request.headers.authorization !== `Bearer ${options.apiKey}`
    )
      return json(401, errorBody(401));
    const path = request.path.replace(/\?.*/, "");
    if (request.method === "GET" && path === "/v1/models")
      return json(200, { object: "list", data: modelsOf(options).map(modelBody) });
    const named = /^\/v1\/models\/(.+)$/.exec(path)?.[1];
    if (request.method === "GET" && named !== undefined) {
      const name = decodeURIComponent(named);
      return modelsOf(options).includes(name)
        ? json(200, modelBody(name))
        : json(404, noSuchModel(name));
    }
    const { body } = request;
    if (!body) return json(400, errorBody(400));
    const model = String(body["model"]);
    if (
      options.models &&
      !options.models.includes(model) &&
      !scripted.has(model) &&
      !model.startsWith("fault/")
    )
      return json(404, noSuchModel(model));
    const fault = faultFor(body);
    if ((fault.status ?? 200) >= 400 && fault.body === undefined)
      return writeAnswer(response, fault, { body: errorBody(fault.status ?? 500) });
    if (path === "/v1/chat/completions") {
      const chat = body as unknown as ChatParameters; // a client that sends something else gets a 500 here
      if (chat.stream === true)
        return writeAnswer(response, fault, { events: chunksOf(chat, fault) });
      return writeAnswer(response, fault, { body: completionOf(chat, fault) });
    }
    if (path === "/v1/embeddings") {
      const embedding = body as unknown as OpenAI.EmbeddingCreateParams; // as above
      return writeAnswer(response, fault, { body: embeddingsOf(embedding, fault) });
    }
    return json(404, errorBody(404));
  };

  const server = await startRecordingServer((request, response) => {
    requests.push(request);
    return answer(request, response);
  });
  return {
    url: `${server.url}/v1`,
    requests,
    requestsFor,
    script,
    stop: server.stop,
  };
}

const modelsOf = (options: FaultProviderOptions) => options.models ?? LISTED;
const modelBody = (id: string) => ({
  id,
  object: "model",
  created: 1_700_000_000,
  owned_by: "fault",
});

const ERROR_TYPES: Record<number, { type: string; code: string | null }> = {
  400: { type: "invalid_request_error", code: null },
  401: { type: "invalid_request_error", code: "invalid_api_key" },
  403: { type: "invalid_request_error", code: "unsupported_country" },
  404: { type: "invalid_request_error", code: "model_not_found" },
  422: { type: "invalid_request_error", code: null },
  429: { type: "requests", code: "rate_limit_exceeded" },
};

/** What a provider says of a request that is wrong; a gateway may pass it on. */
export const CLIENT_SENTENCE = "temperature must be at most 2.";

/** An error as OpenAI sends it. What is not about the request itself carries the mark of what must not leak. */
export function errorBody(status: number): object {
  const { type, code } = ERROR_TYPES[status] ?? { type: "server_error", code: null };
  const aboutRequest = status === 400 || status === 422;
  const message = aboutRequest ? CLIENT_SENTENCE : `Incorrect API key sk-${LEAK_MARK} or worse.`;
  return {
    error: { message, type, param: aboutRequest ? "temperature" : null, code, trace: LEAK_MARK },
  };
}

function noSuchModel(name: string): object {
  const message = `The model '${name}' does not exist or you do not have access to it.`;
  return {
    error: { message, type: "invalid_request_error", param: null, code: "model_not_found" },
  };
}
