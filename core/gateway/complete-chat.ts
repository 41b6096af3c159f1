import { estimatePromptTokens, estimateTokens } from "../chat/estimate-tokens.ts";
import { AppError, type ErrorCode } from "../kernel/errors.ts";
import { mayUseModel } from "../kernel/principal.ts";
import type { ModelRoute, Route } from "../providers/catalog.ts";
import { asksForJson, guardAnswer, type GuardedAnswer } from "../guard-rails/guard-answer.ts";
import type { GuardRails, Rails } from "../guard-rails/guard-rails.ts";
import { guardRequest } from "../guard-rails/guard-request.ts";
import { type GuardedStream, guardStream } from "../guard-rails/guard-stream.ts";
import { railEvents } from "../guard-rails/rail-events.ts";
import { kindOf } from "../providers/kinds/kinds.ts";
import { streamOptions } from "../providers/kinds/openai/openai.ts";
import { CacheTurn } from "../response-cache/cache-turn.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import { type Answered, attemptTargets, deadlineOf } from "./attempt-targets.ts";
import { builtinAnswer } from "./builtin-provider.ts";
import { callProvider, isEventStream, type ProviderAnswer, readWhole } from "./call-provider.ts";
import { type ChatRequest, parseJsonObject } from "./chat-request.ts";
import { type Attempt, type Progress, withFailureRecord } from "./failure-record.ts";
import { copiesOf, lostTokens, withHedge } from "./hedge.ts";
import type { GatewayPorts, ModelAnswer, ModelCall } from "./model-call.ts";
import { planAttempts } from "./plan-attempts.ts";
import { relayStream } from "./relay-stream.ts";
import { readHead } from "./stream-head.ts";
import { StreamTally, writtenText } from "./stream-tally.ts";
import { type Admission, UNLIMITED } from "./admission.ts";
import { fittingOutput, worstCase } from "./worst-case.ts";
import { makeUsageRecord, NOTHING, type Outcome, readUsage } from "./usage-tally.ts";

/**
 * Sends a chat completion to the model's provider, and makes exactly one usage record of it, however it ends.
 * @param errorEvent writes an error as the last event of a stream
 * @throws AppError for all that fails before the answer begins; its usage record is made then
 */
export async function completeChat(
  ports: GatewayPorts,
  call: ModelCall,
  request: ChatRequest,
  errorEvent: (error: AppError) => string,
): Promise<ModelAnswer> {
  const estimateInput = () => inputTokens(request);
  return withFailureRecord(
    { ports, call, model: request.model, estimateInput },
    async (progress) => {
      const route = allowedRoute(ports, call, request.model);
      const model = route instanceof Promise ? await route : route;
      const asked = ports.guardRails(call.teamId);
      const rails = asked instanceof Promise ? await asked : asked;
      const guarded = rails ? guardRequest(rails, request) : request;
      if (guarded !== request) progress.inputMasked = true;
      const common = { ports, call, request: guarded, rails };
      const input: Completion = { ...common, errorEvent, model, progress, cache: null };
      if (!call.cache) return complete(input);
      const cache = await CacheTurn.begin({ ...common, route: model }, call.cache);
      return complete({ ...input, cache }).catch((thrown: unknown) => {
        cache?.fail(thrown);
        throw thrown;
      });
    },
  );
}

interface Completion {
  ports: GatewayPorts;
  call: ModelCall;
  request: ChatRequest;
  errorEvent: (error: AppError) => string;
  model: ModelRoute;
  progress: Progress;
  /** Null where nobody asked the response cache. */
  cache: CacheTurn | null;
  /** The team's guard rails; what is kept went through them before. */
  rails: GuardRails | null;
}

/** Answers from the response cache, or by the model's targets. */
async function complete(input: Completion): Promise<ModelAnswer> {
  const { ports, call, errorEvent, model, cache, progress } = input;
  const { inputMasked } = progress;
  const deadlineAt = deadlineOf(model, call.receivedAt);
  const run = { ports, call, plan: planOf(ports, model), deadlineAt, begins: progress.begins };
  const kept = cache?.replay(input.request.stream);
  const decided = kept ? UNLIMITED : admit(input, deadlineAt);
  const admission = decided instanceof Promise ? await decided : decided;
  progress.admission = admission;
  const request = bounded(input, admission.outputCap);
  const replayed = { route: model.targets[0], number: 1 };
  if (request.stream) {
    const attempt = (route: Route) => beginStream(ports, call, route, request, deadlineAt);
    const body = kept?.response.body;
    const begun =
      kept && body
        ? { ...replayed, value: { answer: kept, body, head: [] } }
        : await attemptTargets({ ...run, attempt });
    const rails = kept ? null : (input.rails?.output ?? null);
    const common = { ports, call, request, begun, errorEvent, deadlineAt, cache };
    const relayed = relay({ ...common, rails, inputMasked });
    return { ...relayed, admission };
  }
  const attempt = (route: Route) =>
    completeHedged({ ...input, request }, run.plan, route, deadlineAt);
  const answered = kept
    ? { ...replayed, value: await readReplay(kept, replayed.route, request) }
    : await attemptTargets({ ...run, attempt });
  const { value } = answered;
  const { by = answered.route, lost = null } = value;
  const passed = kept ? null : passOut(input, value.text);
  const text = passed?.body ?? value.text;
  const asked = { ports, call, model: request.model };
  const counted = {
    ...value.counted,
    attempt: answered.number + (lost ? 1 : 0),
    cache: cache?.state,
    guardRails: railEvents(inputMasked, passed),
    ...(lost ? { lost: { tokens: lostTokens(value.counted.tokens), prices: lost.prices } } : {}),
  };
  const whole = wholeAnswer(asked, by, text, counted);
  const known = { ...whole, admission, leftOut: value.leftOut };
  if (!cache) return known;
  cache.end(await whole.record, text);
  return { ...known, cache };
}

/** A whole answer as the guard rails let it out; null where there are none. */
function passOut({ rails, request }: Completion, text: string): GuardedAnswer | null {
  if (!rails?.output) return null;
  return guardAnswer(rails.output, text, { jsonContent: asksForJson(request.raw) });
}

/** Asks the limits of the request. */
function admit(
  { ports, call, request, model }: Completion,
  deadlineAt: number,
): Admission | Promise<Admission> {
  const { raw: asked } = request;
  const { targets } = model;
  const worst = () => worstCase(asked, targets, copiesOf(model, request.stream));
  const fitting = (unit: "tokens" | "usd", room: number) =>
    fittingOutput(asked, { targets, copies: copiesOf(model, request.stream) }, unit, room);
  return ports.admit(call, request.model, { worst, fitting, deadlineAt });
}

/** The request as its limits let it through: with a bound for its output where they count tokens or money. */
function bounded({ request, model }: Completion, outputCap: number | null): ChatRequest {
  if (outputCap === null) return request;
  const name = capName(model);
  const { max_tokens: older } = request.raw;
  // OpenAI knows both names, and takes only one of them at once.
  const isBounded = (request.raw[name] ?? (name === "max_tokens" ? null : older) ?? null) !== null;
  if (isBounded) return request;
  return { ...request, raw: { ...request.raw, [name]: outputCap } };
}

/** OpenAI's own newer models take only the newer name, other servers of its protocol often only the older one. */
function capName({ targets }: ModelRoute): "max_completion_tokens" | "max_tokens" {
  const openAi = targets.some(({ endpoint }) =>
    endpoint?.baseUrl.startsWith("https://api.openai.com"),
  );
  return openAi ? "max_completion_tokens" : "max_tokens";
}

interface WholeAnswer {
  text: string;
  counted: Pick<Outcome, "tokens" | "estimated">;
  leftOut?: string[] | undefined;
  /** Who answered, and whose answer was not waited for, where the request was sent twice. */
  by?: Route;
  lost?: Route | null;
}

/** One attempt at an answer in one piece, sent a second time where the model wants that and it is slow. */
function completeHedged(
  { ports, call, request, model }: Completion,
  plan: readonly Route[],
  first: Route,
  deadlineAt: number,
): Promise<WholeAnswer> {
  const afterMs = model.hedgeAfterMs;
  if (afterMs === null) return completeWhole(ports, call, first, request, deadlineAt);
  const now = ports.now();
  const healthy = (route: Route) => !ports.circuits.standing(route, now).open;
  const second = plan.find((route) => route !== first && healthy(route)) ?? first;
  const { clientSignal } = call;
  const start = (route: Route, signal: AbortSignal) =>
    completeWhole(ports, { ...call, clientSignal: signal }, route, request, deadlineAt);
  const hedged = withHedge({ afterMs, first, second, clientSignal, start });
  return hedged.then(({ value, by, lost }) => ({ ...value, by, lost }));
}

async function readReplay(
  kept: ProviderAnswer,
  route: Route,
  request: ChatRequest,
): Promise<WholeAnswer> {
  const text = await kept.response.text();
  return { text, counted: readCompletion(text, route, request) };
}

/** An answer in one piece, whose usage record is made and on its way. */
export function wholeAnswer(
  { ports, call, model }: Attempt,
  route: Route,
  body: string,
  counted: Pick<Outcome, "tokens" | "estimated" | "attempt" | "cache" | "lost" | "guardRails">,
): ModelAnswer {
  const now = ports.now();
  const record = makeUsageRecord(call, model, route, { ...NOTHING, ...counted }, now);
  ports.report(record);
  return {
    contentType: "application/json",
    body,
    upstreamMs: now - call.receivedAt,
    served: { provider: route.provider, attempts: counted.attempt ?? 1 },
    record,
  };
}

/** @throws AppError `model_not_allowed`, and what finding the model throws */
export function allowedRoute(
  ports: GatewayPorts,
  call: ModelCall,
  model: string,
): ModelRoute | Promise<ModelRoute> {
  if (!mayUseModel(call.principal, model)) {
    throw new AppError("model_not_allowed", {
      message: `This API key may not use the model ${JSON.stringify(model)}.`,
      param: "model",
    });
  }
  return ports.route(model);
}

/** In which order the targets of a model are asked now. */
export function planOf(ports: GatewayPorts, route: ModelRoute): readonly Route[] {
  if (route.targets.length === 1) return route.targets;
  ports.syncCircuits();
  const now = ports.now();
  const standing = (target: Route) => ports.circuits.standing(target, now);
  return planAttempts({ route, standing, random: Math.random });
}

/** A stream that broke after its first token counts against the target, though nobody else is asked any more. */
function noteCut(ports: GatewayPorts, route: Route, error: ErrorCode | null): void {
  const outcome = { error, latencyMs: null, retryAfterMs: 0 };
  if (ports.circuits.leave(route, "closed", outcome, ports.now())) ports.syncCircuits();
}

/** One attempt at an answer in one piece, which is a good one when it returns. */
async function completeWhole(
  ports: GatewayPorts,
  call: ModelCall,
  route: Route,
  request: ChatRequest,
  deadlineAt: number,
): Promise<WholeAnswer> {
  const answer = await send(ports, call, route, request, deadlineAt);
  const text = await readWhole(answer, route, deadlineAt - ports.now());
  const { leftOut } = answer;
  return { text, counted: readCompletion(text, route, request), leftOut };
}

/** A stream whose first token is there. */
interface BegunStream {
  answer: ProviderAnswer;
  body: ReadableStream<Uint8Array>;
  head: Uint8Array[];
}

/** One attempt at a stream, up to its first token. */
async function beginStream(
  ports: GatewayPorts,
  call: ModelCall,
  route: Route,
  request: ChatRequest,
  deadlineAt: number,
): Promise<BegunStream> {
  const { now } = ports;
  const startedAt = now();
  const answer = await send(ports, call, route, request, deadlineAt);
  const { body } = answer.response;
  if (!isEventStream(answer.response) || !body) {
    answer.call.abort("timeout");
    throw notACompletion(route);
  }
  const head = await readHead({ answer, body, route, startedAt, deadlineAt, now });
  return { answer, body, head };
}

function send(
  ports: GatewayPorts,
  call: ModelCall,
  route: Route,
  request: ChatRequest,
  deadlineAt: number,
): Promise<ProviderAnswer> {
  if (route.endpoint === null)
    return Promise.resolve(builtinAnswer(request.raw, ports.recognisers));
  const { model, targetModel, maxOutputTokens } = route;
  const { raw, stream } = request;
  const { requestId, receivedAt: now } = call;
  const kindRequest = { raw, stream, model, targetModel, maxOutputTokens, requestId, now };
  const exchange = kindOf(route.endpoint.kind).chat(kindRequest);
  return callProvider(ports, call, route, exchange, deadlineAt);
}

/** @throws AppError `provider_error` where the answer is no chat completion */
function readCompletion(
  text: string,
  route: Route,
  request: ChatRequest,
): Pick<Outcome, "tokens" | "estimated"> {
  const completion = notJson(route, () => parseJsonObject(text));
  const { choices, usage } = completion;
  if (!Array.isArray(choices)) throw notACompletion(route);
  const counted = readUsage(usage);
  if (counted) return { tokens: counted, estimated: false };
  const written = choices
    .map((choice: { message?: unknown } | null) => writtenText(choice?.message))
    .join("");
  return {
    tokens: { input: inputTokens(request), output: estimateTokens(written) },
    estimated: true,
  };
}

const inputTokens = (request: ChatRequest) => {
  const tools = request.raw["tools"];
  return estimatePromptTokens(request.messages, Array.isArray(tools) ? tools : undefined);
};

/** @throws AppError `provider_error` in place of what parsing throws */
export function notJson<T>(route: Route, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw notACompletion(route, cause);
  }
}

function notACompletion(route: Route, cause?: unknown): AppError {
  const message = `The provider of ${route.model} answered with something else than a completion. Check its address, or try again.`;
  return new AppError("provider_error", { message, cause });
}

interface Relay {
  ports: GatewayPorts;
  call: ModelCall;
  request: ChatRequest;
  begun: Answered<BegunStream>;
  errorEvent: (error: AppError) => string;
  deadlineAt: number;
  cache: CacheTurn | null;
  /** What the answer has to pass; null where that is nothing. */
  rails: Rails | null;
  inputMasked: boolean;
}

function guarding({ begun, request, ports }: Relay, rails: Rails, choices: number): GuardedStream {
  const { answer, body, head } = begun.value;
  const form = { jsonContent: asksForJson(request.raw), choices };
  const abort = () => answer.call.abort("client");
  return guardStream({ rails, form, body, head, abort, now: ports.now });
}

function relay(input: Relay): ModelAnswer {
  const { ports, call, request, begun, errorEvent, deadlineAt, cache, rails } = input;
  const { route, number: attempt } = begun;
  const { answer } = begun.value;
  const { n } = request.raw;
  const choices = typeof n === "number" ? n : 1;
  const guarded = rails ? guarding(input, rails, choices) : null;
  const source = guarded?.body ?? begun.value.body;
  const head = guarded ? [] : begun.value.head;
  const body = cache ? cache.noted(source, head) : source;
  const tally = new StreamTally(streamOptions(request.raw)["include_usage"] !== true, choices);
  const pipe = ports.createPipe();
  const relayed = relayStream({
    upstream: body,
    head,
    client: pipe.writable,
    tally,
    abort: (reason) => answer.call.abort(reason),
    idleMs: route.patience.betweenTokensMs,
    deadlineAt,
    clientSignal: call.clientSignal,
    errorEvent,
    now: ports.now,
  });
  const record = relayed.then((outcome): UsageRecord => {
    answer.call.end();
    const counted = (guarded?.consumed ?? tally).tokens(() => inputTokens(request));
    const { firstTokenAt } = tally;
    const guardRails = railEvents(input.inputMasked, guarded?.work() ?? null);
    const full = { ...outcome, ...counted, firstTokenAt, attempt, cache: cache?.state, guardRails };
    const made = makeUsageRecord(call, request.model, route, full, outcome.endedAt);
    if (outcome.status > 499) noteCut(ports, route, outcome.errorCode);
    ports.report(made);
    cache?.end(made);
    return made;
  });
  ports.background(record);
  return {
    contentType: "text/event-stream; charset=utf-8",
    body: pipe.readable,
    leftOut: answer.leftOut,
    upstreamMs: ports.now() - call.receivedAt,
    served: { provider: route.provider, attempts: attempt },
    record,
    ...(cache ? { cache } : {}),
  };
}
