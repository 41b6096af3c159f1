import { allowedRoute } from "../gateway/complete-chat.ts";
import { withFailureRecord } from "../gateway/failure-record.ts";
import type { ModelCall } from "../gateway/model-call.ts";
import type { GuardRails } from "../guard-rails/guard-rails.ts";
import { guardInput } from "../guard-rails/guard-request.ts";
import { AppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import { RunningTurn } from "./running-turn.ts";
import type { Begun, KeptAnswer, SessionStore, TurnBegin, TurnRetry } from "./session.ts";
import { noSuchSession, sessionIdFor, checkSessionId } from "./session-id.ts";
import { promptRoom } from "./trim-history.ts";
import type { Turn, TurnPorts, TurnRequest } from "./turn.ts";
import type { TurnInput } from "./turn-input.ts";
import type { TurnTools } from "./turn-tools.ts";

/**
 * Says something in a session, a new one where none is named, and lets the model answer. What was said is kept once
 * the answer is whole, both sides together; a client that hangs up in mid-stream keeps what was generated so far, with
 * the reason "aborted". Of a turn that fails, nothing stays. Each turn makes one usage record.
 * @returns a streamed turn as soon as its answer begins, any other one when it has ended
 * @throws AppError `not_found`, `session_busy`, `context_too_long`, `idempotency_mismatch`, `conflict`, and what the gateway throws
 */
export async function takeTurn(
  ports: TurnPorts,
  modelCall: ModelCall,
  request: TurnRequest,
): Promise<Turn> {
  const { retry } = request;
  const { gateway } = ports;
  let { input } = request;
  const named = input.session_id ?? null;
  const sessionId = named === null ? await newSessionId(retry) : named;
  const hangUp = new AbortController();
  const clientSignal = signalOf(modelCall, request, hangUp.signal);
  const call = { ...modelCall, sessionId, clientSignal };
  const store = ports.openSession(sessionId);
  // Whatever a client calls a session has no place in a usage record before it is known to be one.
  const unknown = { ports: gateway, call: { ...call, sessionId: null }, model: input.model ?? "" };
  const model = await withFailureRecord(unknown, () => {
    if (named !== null) checkSessionId(named);
    return modelOf(ports, call, input, store);
  });
  let tools: TurnTools | null = null;
  let inputMasked = false;
  const begun = await withFailureRecord({ ports: gateway, call, model }, async () => {
    const route = await allowedRoute(gateway, call, model);
    // What is kept of a turn went through the team's guard rails, as what goes to the model does.
    const rails = await gateway.guardRails(call.teamId);
    if (rails) {
      const guarded = guardTurn(rails, input);
      inputMasked = guarded.message !== input.message || guarded.system !== input.system;
      input = guarded;
    }
    const room = promptRoom(route);
    tools = await toolsOf(ports, call, input, { model, room });
    const create = named === null ? newSession(call, sessionId, input) : null;
    const start = { turnId: call.requestId, message: input.message, create, system: input.system };
    const promptTokens = room - (tools?.tokens ?? 0);
    const asked = { ...start, promptTokens, withTools: tools !== null, retry };
    return begunOrThrow(await store.begin(call.teamId, asked));
  });
  if (begun.state === "answered") return replay(sessionId, begun.answer, request);
  const running = inputMasked ? { ...call, inputMasked } : call;
  const parts = { ports, call: running, request: { ...request, input }, store, tools, hangUp };
  return new RunningTurn(parts).run(model, begun);
}

/** Tools that nobody asked for take at most this part of a prompt: what is said comes first. */
const UNASKED_SHARE = 0.25;

/** What the model is offered in this turn. */
async function toolsOf(
  { toolBox }: TurnPorts,
  call: ModelCall,
  { skills }: TurnInput,
  { model, room }: { model: string; room: number },
): Promise<TurnTools | null> {
  if (!toolBox || toolBox.refusesTools(model)) return null;
  const tools = await toolBox.toolsFor(call, skills ?? null);
  const unasked = (skills ?? null) === null;
  return unasked && tools !== null && tools.tokens > room * UNASKED_SHARE ? null : tools;
}

function guardTurn(rails: GuardRails, input: TurnInput): TurnInput {
  const message = guardInput(rails, input.message, "message");
  const { system } = input;
  return { ...input, message, ...(system ? { system: guardInput(rails, system, "system") } : {}) };
}

function newSessionId(retry: TurnRetry | null): Promise<string> | string {
  return retry ? sessionIdFor(retry.key) : newId("session");
}

/** A call that can be sent again goes on without its client, so that the second one finds its answer. */
function signalOf(call: ModelCall, request: TurnRequest, hangUp: AbortSignal): AbortSignal {
  const independent = request.retry !== null && request.input.stream !== true;
  if (independent || !call.clientSignal) return hangUp;
  return AbortSignal.any([call.clientSignal, hangUp]);
}

async function modelOf(
  ports: TurnPorts,
  call: ModelCall,
  input: TurnInput,
  store: SessionStore,
): Promise<string> {
  if (typeof input.model === "string") return input.model;
  if (typeof input.session_id !== "string") return ports.defaultModel();
  const session = await store.read(call.teamId);
  if (!session) throw noSuchSession();
  const chosen = input.model === null ? null : session.model;
  return chosen ?? ports.defaultModel();
}

function newSession({ principal, teamId, endUser }: ModelCall, id: string, input: TurnInput) {
  const keyId = principal.kind === "key" ? principal.keyId : null;
  return { id, teamId, keyId, endUser, model: input.model ?? null };
}

function begunOrThrow(begun: TurnBegin): Begun | Extract<TurnBegin, { state: "answered" }> {
  switch (begun.state) {
    case "begun":
    case "answered":
      return begun;
    case "unknown":
      throw noSuchSession();
    case "busy":
      throw new AppError("session_busy", {
        message: "The session is answering another message. Wait for that answer, then try again.",
        retryAfterSeconds: 1,
      });
    case "too_long":
      throw new AppError("context_too_long", {
        message:
          "The message and the system prompt alone are longer than the model's context. Send less, or take a model with more.",
        param: "message",
      });
    case "mismatch":
      throw new AppError("idempotency_mismatch", {
        message: "This Idempotency-Key was used for another request. Use a new one.",
      });
    case "forgotten":
      throw new AppError("conflict", {
        message:
          "This Idempotency-Key made a session whose answer is no longer kept. Use a new one.",
      });
  }
}

function replay(sessionId: string, kept: KeptAnswer, request: TurnRequest): Turn {
  request.onPart({ text: kept.reply });
  const answer = Promise.resolve({ ...kept, sessionId });
  return { sessionId, replayed: true, upstreamMs: null, served: null, answer, record: null };
}
