import { boundedText } from "../kernel/bounded-text.ts";
import { AppError, type ErrorCode } from "../kernel/errors.ts";
import { VERSION } from "../kernel/version.ts";
import type { Route } from "../providers/catalog.ts";
import type {
  Exchange,
  ProviderKind,
  ProviderRequest,
  Refusal,
  StreamTranslator,
} from "../providers/kinds/kind.ts";
import { kindOf } from "../providers/kinds/kinds.ts";
import { translateBody } from "../providers/kinds/translate-body.ts";
import type { GatewayPorts, ModelCall } from "./model-call.ts";
import { ProviderCall } from "./provider-call.ts";

/** The largest answer that is read whole, in bytes. */
const ANSWER_LIMIT = 64 * 1024 * 1024;
/** How much of a provider's error answer is read, in bytes. */
const ERROR_LIMIT = 64 * 1024;
/** How much of a provider's own error sentence is passed on. */
const MESSAGE_LIMIT = 2_000;

/** A call to a provider whose answer has begun. */
export interface ProviderAnswer {
  /** A stream is in the canonical form already; a whole answer is put into it by `readWhole`. */
  response: Response;
  /** Puts a whole answer into the canonical form; null where it is in it already. */
  decodeWhole: Exchange["decodeWhole"];
  /** See `Exchange`. */
  leftOut?: string[] | undefined;
  /** Goes on until the answer has been read; whoever reads it ends it. */
  call: ProviderCall;
}

/**
 * Sends a request to a provider and waits for its answer to begin.
 * @param exchange the request in the form of the route's kind
 * @param deadlineAt when the answer must have begun at the latest, milliseconds since 1970
 * @throws AppError `provider_unreachable`, `provider_timeout`, `client_closed`, or what `errorFromProvider` makes of a refusal
 */
export async function callProvider(
  ports: GatewayPorts,
  call: ModelCall,
  route: Route,
  exchange: Exchange,
  deadlineAt = Infinity,
): Promise<ProviderAnswer> {
  const endpoint = route.endpoint;
  if (!endpoint) throw new Error(`The provider ${route.provider} is no provider to be called`);
  const kind = kindOf(endpoint.kind);
  const { apiKeySealed } = endpoint;
  const opened =
    apiKeySealed === null ? endpoint.apiKey : ports.openKey(route.provider, apiKeySealed);
  const apiKey = opened instanceof Promise ? await opened : opened;
  const own = new ProviderCall(call.clientSignal);
  own.within(Math.min(endpoint.timeoutMs, deadlineAt - ports.now()));
  try {
    const headers = requestHeaders(call, kind, apiKey);
    const response = await transmit(ports, route, exchange.request, headers, own.signal);
    if (response.status >= 200 && response.status < 300) {
      const streams = isEventStream(response);
      if (streams) own.untimed(); // who reads a stream watches over each of its pauses
      const { decodeWhole, leftOut, translateStream } = exchange;
      const translated =
        streams && translateStream ? inCanonicalForm(response, translateStream()) : response;
      return { response: translated, decodeWhole, leftOut, call: own };
    }
    throw await errorFromProvider(response, route, kind, apiKey);
  } catch (error) {
    own.end(); // only now: an error's body has to come in time as well
    throw error instanceof AppError ? error : callError(own.aborted, route, error);
  }
}

function transmit(
  ports: GatewayPorts,
  route: Route,
  request: ProviderRequest,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  if (request.by === "http") {
    return ports.fetch((route.endpoint?.baseUrl ?? "") + request.path, {
      method: "POST",
      headers: request.headers ? { ...headers, ...request.headers } : headers,
      body: request.body,
      signal,
      redirect: "manual", // following one would hand the provider's key to somebody else
    });
  }
  if (ports.runAi) return ports.runAi(request.model, request.input, signal);
  throw new AppError("provider_misconfigured", {
    message: `The provider of ${route.model} is Workers AI, and this gateway has no AI binding. An operator has to see to it.`,
  });
}

/** The answer with its event stream in the canonical form. */
function inCanonicalForm(response: Response, translator: StreamTranslator): Response {
  if (!response.body) return response;
  const body = translateBody(response.body, translator);
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

export function isEventStream(response: Response): boolean {
  return /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "");
}

function requestHeaders(
  call: ModelCall,
  kind: ProviderKind,
  apiKey: string | null,
): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "user-agent": `switchyard/${VERSION}`,
    "x-request-id": call.requestId,
    traceparent: call.traceparent,
  };
  kind.setHeaders(headers, apiKey);
  if (call.tracestate !== null) headers["tracestate"] = call.tracestate;
  return headers;
}

/** What a failed call means to the client. */
export function callError(
  aborted: "client" | "timeout" | null,
  route: Route,
  cause: unknown,
): AppError {
  if (aborted === "client")
    return new AppError("client_closed", { message: "The client closed the connection.", cause });
  if (aborted === "timeout") {
    return new AppError("provider_timeout", {
      message: `The provider of ${route.model} did not answer in time. Try again.`,
      cause,
    });
  }
  return new AppError("provider_unreachable", {
    message: `The provider of ${route.model} cannot be reached. Try again in a moment.`,
    cause,
  });
}

/**
 * Reads an answer whole.
 * @param leftMs how long it may take at the most, in milliseconds
 * @throws AppError when it is cut, too slow or too large
 */
export async function readWhole(
  answer: ProviderAnswer,
  route: Route,
  leftMs = Infinity,
): Promise<string> {
  answer.call.within(Math.min(route.patience.betweenTokensMs, leftMs));
  try {
    const text = await boundedText(answer.response, ANSWER_LIMIT);
    if (text !== null)
      return answer.decodeWhole === null ? text : decode(text, answer.decodeWhole, route);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw answer.call.aborted === null
      ? new AppError("provider_error", {
          message: `The provider of ${route.model} cut its answer short. Try again.`,
          cause: error,
        })
      : callError(answer.call.aborted, route, error);
  } finally {
    answer.call.end();
  }
  throw new AppError("provider_error", {
    message: `The provider of ${route.model} sent an answer over ${ANSWER_LIMIT} bytes.`,
  });
}

function decode(text: string, decodeWhole: (text: string) => string, route: Route): string {
  try {
    return decodeWhole(text);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const message = `The provider of ${route.model} answered with something else than what was asked for. Check its address, or try again.`;
    throw new AppError("provider_error", { message, cause });
  }
}

/** Statuses that tell the client about its own request; they are passed on with the provider's sentence. */
const CLIENT_FAULTS: ReadonlyMap<number, ErrorCode> = new Map([
  [400, "invalid_request"],
  [409, "conflict"],
  [413, "body_too_large"],
  [415, "unsupported_media_type"],
  [422, "validation_failed"],
]);

/** What a provider's refusal means to the client. Only sentences about the client's own request are passed on. */
async function errorFromProvider(
  response: Response,
  route: Route,
  kind: ProviderKind,
  apiKey: string | null,
): Promise<AppError> {
  const text = await boundedText(response, ERROR_LIMIT).catch(() => null); // the status alone says enough
  const refusal = kind.readRefusal(response.status, text);
  const { status } = refusal;
  const exactMs = retryAfterMs(response.headers);
  const details = {
    provider: route.provider,
    provider_status: response.status,
    ...(exactMs === undefined ? {} : { retry_after_ms: exactMs }),
  };
  const clientFault = CLIENT_FAULTS.get(status);
  if (clientFault !== undefined) {
    const said = withoutKey(refusal, apiKey);
    return new AppError(clientFault, {
      message:
        said.message ??
        `The provider of ${route.model} does not take this request (status ${status}).`,
      ...(said.param ? { param: said.param } : {}),
      details,
    });
  }
  if (status === 404) {
    // Its sentence would name the provider's own model, or be a page of whoever is at its address.
    return new AppError("model_not_found", {
      message: `The provider of ${route.model} does not know this model. GET /v1/models lists those that there are.`,
      param: "model",
      details,
    });
  }
  const retryAfterSeconds = refusal.retryAfterSeconds ?? wholeSeconds(exactMs);
  const retry = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  if (status === 429) {
    return new AppError("provider_rate_limited", {
      message: `The provider of ${route.model} limits requests right now. Wait and try again.`,
      ...retry,
      details,
    });
  }
  if (status === 401 || status === 403 || status === 402) {
    return new AppError("provider_misconfigured", {
      message: `The provider of ${route.model} refuses this gateway's key. An operator has to see to it.`,
      details,
    });
  }
  if (status < 400) {
    return new AppError("provider_misconfigured", {
      message: `The provider of ${route.model} is not at its address any more (status ${status}). An operator has to correct it.`,
      details,
    });
  }
  if (status === 408 || status === 504) {
    return new AppError("provider_timeout", {
      message: `The provider of ${route.model} took too long. Try again.`,
      ...retry,
      details,
    });
  }
  if (status === 503 || status === 529) {
    return new AppError("provider_overloaded", {
      message: `The provider of ${route.model} is overloaded. Try again in a moment.`,
      ...retry,
      details,
    });
  }
  return new AppError("provider_error", {
    message: `The provider of ${route.model} failed (status ${status}). Try again.`,
    ...retry,
    details,
  });
}

/** What the provider said, to be passed on. Some repeat the key that they were sent. */
function withoutKey({ message, param }: Refusal, apiKey: string | null) {
  const clean = (said: string, limit: number) =>
    (apiKey ? said.replaceAll(apiKey, "[removed]") : said).slice(0, limit);
  return {
    message: message === null ? null : clean(message, MESSAGE_LIMIT),
    param: param === null ? null : clean(param, 200),
  };
}

/** `retry-after-ms`, or `Retry-After` in seconds or as a date; in milliseconds. */
function retryAfterMs(headers: Headers): number | undefined {
  const exact = headers.get("retry-after-ms");
  if (exact !== null && /^\d+(\.\d+)?$/.test(exact)) return Number(exact);
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const milliseconds = /^\d+(\.\d+)?$/.test(value)
    ? Number(value) * 1_000
    : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}

/** For the client's own `Retry-After`: from a second to an hour. */
function wholeSeconds(milliseconds: number | undefined): number | undefined {
  if (milliseconds === undefined) return undefined;
  return Math.min(3_600, Math.max(1, Math.ceil(milliseconds / 1_000)));
}
