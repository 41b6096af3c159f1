import { estimateTokens } from "../chat/estimate-tokens.ts";
import type { ChatRequest } from "../gateway/chat-request.ts";
import { completeChat } from "../gateway/complete-chat.ts";
import type { GatewayPorts, ModelAnswer, ModelCall } from "../gateway/model-call.ts";
import { AppError, toAppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import type { PromptMessage } from "./session.ts";
import { keptMessages, roundMessages, type ToolCall, type ToolMessage } from "./tool-calls.ts";
import { readReply, type Reply, REPLY_LIMIT, ReplyReader } from "./turn-reply.ts";
import type { TurnPart } from "./turn.ts";
import type { ToolBox, ToolState, TurnTools } from "./turn-tools.ts";

/** How often the model may call tools before it has to answer. */
const MOST_ROUNDS = 5;
/** How many calls of one round are made; the model is told that the others were not. */
const MOST_CALLS = 8;
/** After so long, in milliseconds, no further round is begun. */
const ROUNDS_MS = 120_000;
/** What stands between what the model says before and after a call. */
const BREAK = "\n\n";

export interface RoundsInput {
  gateway: GatewayPorts;
  call: ModelCall;
  model: string;
  messages: PromptMessage[];
  stream: boolean;
  /** Null where the model is offered none. */
  tools: TurnTools | null;
  toolBox: ToolBox | null;
  /** How many tokens the prompt may grow by, with what tools answer. */
  room: number;
  /** Names the turn: the same when it died, has left nothing, and is taken again. */
  turnName: string;
  /** Gets the reply as it comes, and what tools do. */
  onPart(part: TurnPart): void;
  /** Ends the call of the model. */
  hangUp: AbortController;
}

/** What a turn came to. */
export interface RoundsEnd {
  text: string;
  finishReason: string | null;
  /** Of all rounds together; status and error are the last one's. */
  record: UsageRecord;
  /** The calls of tools, each with its result. */
  toolMessages: ToolMessage[];
  /** Why the gateway ended the last stream. */
  failure: AppError | null;
}

/**
 * The model's answer, and all that it does for it: it says something or calls tools, is told what came of them, and goes
 * on, in a bounded number of rounds. What tools answer is data to it, and changes nothing about what it may do.
 */
export class TurnRounds {
  private readonly input: RoundsInput;
  private tools: TurnTools | null;
  private text = "";
  private failure: AppError | null = null;
  private readonly rounds: ToolMessage[] = [];
  private readonly totals = {
    input: 0,
    output: 0,
    cachedInput: 0,
    cacheWrite: 0,
    micros: 0,
    toolMicros: 0,
  };
  private room: number;
  /** How often each call was made in this turn. */
  private readonly made = new Map<string, number>();
  /** Of the call that has ended last. */
  private last: UsageRecord | null = null;

  constructor(input: RoundsInput) {
    this.input = input;
    this.tools = input.tools;
    this.room = input.room;
  }

  /**
   * Asks the model for the first time. A model that refuses tools is asked again without them, and remembered.
   * @returns as soon as its answer begins
   * @throws what the gateway throws
   */
  async begin(): Promise<ModelAnswer> {
    const { call, model, toolBox } = this.input;
    try {
      return await this.ask(call, "auto");
    } catch (error) {
      if (this.tools === null || !isRefusalOfTools(error)) throw error;
      toolBox?.noteRefusal(model);
      this.tools = null;
      return this.ask(this.furtherCall(), "auto");
    }
  }

  /** Follows the first answer to its end, and all those after it. @throws what the gateway throws */
  async follow(first: ModelAnswer): Promise<RoundsEnd> {
    const { now } = this.input.gateway;
    const endsAt = now() + ROUNDS_MS;
    for (let answer = first, round = 1; ; round++) {
      const reply = await this.read(answer);
      const record = await answer.record;
      this.last = record;
      this.count(record);
      const calls = round > MOST_ROUNDS ? [] : reply.calls;
      const goesOn = record.status === 200 && this.tools !== null && calls.length > 0;
      if (!goesOn || this.tools === null) return this.end(reply, record);
      await this.runRound(this.tools, reply, calls);
      const isLast = round === MOST_ROUNDS || now() > endsAt;
      if (isLast) round = MOST_ROUNDS;
      const next = await this.askAgain(isLast ? "none" : "auto");
      if (next === "gone") return this.end(...brokenOff(reply, record));
      answer = next;
    }
  }

  /** @returns `gone` where the client hung up meanwhile */
  private async askAgain(choice: "auto" | "none"): Promise<ModelAnswer | "gone"> {
    const { clientSignal } = this.input.call;
    if (clientSignal?.aborted) return "gone";
    try {
      return await this.ask(this.furtherCall(), choice);
    } catch (error) {
      if (error instanceof AppError && error.code === "client_closed") return "gone";
      throw error;
    }
  }

  /** What the log says of a turn that has failed after its first answer had begun. */
  recordOfFailure(thrown: unknown): UsageRecord | null {
    const { code, meaning } = toAppError(thrown);
    return this.last && { ...this.last, status: meaning.status, errorCode: code };
  }

  private ask(call: ModelCall, choice: "auto" | "none"): Promise<ModelAnswer> {
    const { gateway, model, stream } = this.input;
    const messages = [...this.input.messages, ...this.rounds].map((message) => ({ ...message }));
    const tools =
      this.tools === null
        ? {}
        : {
            tools: this.tools.definitions,
            // "auto" is what holds by itself, and some servers refuse to be told.
            ...(choice === "none" ? { tool_choice: choice } : {}),
          };
    const raw = { model, messages, stream, ...tools };
    const request: ChatRequest = { model, messages, stream, user: call.endUser, raw };
    return completeChat(gateway, call, request, (error) => this.failed(error));
  }

  /** A call after the first one is a request of its own to limits and usage. */
  private furtherCall(): ModelCall {
    const { call, gateway } = this.input;
    const own = { requestId: newId("request"), receivedAt: gateway.now(), inputMasked: false };
    return { ...call, ...own };
  }

  private async read({ body }: ModelAnswer): Promise<Reply> {
    if (typeof body === "string") {
      const reply = readReply(body);
      this.add(reply.text, true);
      return reply;
    }
    const reader = body.getReader();
    const reading = new ReplyReader(Math.max(1, REPLY_LIMIT - this.text.length));
    for (let begins = true; ;) {
      const read = await reader.read().catch(() => null); // broken off
      const added = reading.take(read?.value ?? null);
      if (added !== "") {
        this.add(added, begins);
        begins = false;
      }
      if (reading.full) this.input.hangUp.abort();
      if (!read || read.done || reading.full) break;
    }
    reader.cancel().catch(() => undefined); // it may have ended, which is as good
    return reading.reply;
  }

  /** @param begins whether it is the first that an answer says */
  private add(text: string, begins: boolean): void {
    if (text === "") return;
    const whole = begins && this.text !== "" ? BREAK + text : text;
    this.text += whole;
    this.input.onPart({ text: whole });
  }

  private async runRound(tools: TurnTools, reply: Reply, calls: ToolCall[]): Promise<void> {
    const { onPart, call } = this.input;
    const told = (tool: ToolCall, told: Omit<ToolState, "name">) =>
      onPart({ name: tools.shownName(tool.name), ...told });
    const results = await Promise.all(
      calls.map(async (tool, index) => {
        if (index >= MOST_CALLS) return tooMany();
        told(tool, { state: "running" });
        const use = { ...this.furtherCall(), sessionId: call.sessionId };
        const once = this.nameOf(tool);
        const onJob = (job: Pick<ToolState, "job_id" | "progress">) =>
          told(tool, { state: "running", ...job });
        const result = await tools.run(tool, { call: use, once, onJob });
        this.totals.toolMicros += result.costMicros;
        const job = result.jobId === undefined ? {} : { job_id: result.jobId };
        told(tool, { state: result.ok ? "done" : "failed", ...job });
        return result.content;
      }),
    );
    const fitting = results.map((content) => this.fit(content));
    this.rounds.push(...roundMessages(reply, calls, fitting));
  }

  /** By what is called, and which of its like it is: models may make the same calls in another order the next time. */
  private nameOf(tool: ToolCall): string {
    const called = `${tool.name}\n${tool.arguments.trim()}`;
    const count = (this.made.get(called) ?? 0) + 1;
    this.made.set(called, count);
    return `${this.input.turnName}\n${count}\n${called}`;
  }

  /** Leaves out a result for which the model's context has no room any more. */
  private fit(content: string): string {
    const tokens = estimateTokens(content);
    if (tokens <= this.room) {
      this.room -= tokens;
      return content;
    }
    return notRun("The result is too long for the rest of this conversation. Ask for less.");
  }

  private count(record: UsageRecord): void {
    this.totals.input += record.inputTokens;
    this.totals.output += record.outputTokens;
    this.totals.cachedInput += record.cachedInputTokens ?? 0;
    this.totals.cacheWrite += record.cacheWriteTokens ?? 0;
    this.totals.micros += record.costMicros;
  }

  private end(reply: Reply, last: UsageRecord): RoundsEnd {
    const { text, failure, totals } = this;
    const record = {
      ...last,
      id: this.input.call.requestId,
      inputTokens: totals.input,
      outputTokens: totals.output,
      cachedInputTokens: totals.cachedInput,
      cacheWriteTokens: totals.cacheWrite,
      costMicros: totals.micros + totals.toolMicros,
    };
    const toolMessages = keptMessages(this.rounds);
    return { text, finishReason: reply.finishReason, record, toolMessages, failure };
  }

  /** Takes the gateway's error out of the stream, where nobody but this turn would read it. */
  private failed(error: AppError): string {
    this.failure = error;
    return "data: {}\n\n";
  }
}

/** Of a client that hung up while tools ran: what was said until then stands, as in the middle of a stream. */
const brokenOff = (reply: Reply, record: UsageRecord): [Reply, UsageRecord] => [
  { ...reply, finishReason: null },
  { ...record, status: 499, errorCode: "client_closed" },
];

const notRun = (message: string) => JSON.stringify({ ok: false, error: { message } });
const tooMany = () =>
  notRun(`Not called: at most ${MOST_CALLS} tools are called at once. Call it again on its own.`);

/** Statuses by which servers say that a model knows no tools, and what their sentences then name. */
const REFUSING = new Set([400, 404, 422, 501]);
const ABOUT_TOOLS = /\btools?\b|tool_choice|function.?call/i;

function isRefusalOfTools(error: unknown): boolean {
  if (!(error instanceof AppError)) return false;
  const status = Number(error.details?.["provider_status"]);
  // The sentence of a 404 is not passed on: it may be that no server of the model has tools.
  return REFUSING.has(status) && (status === 404 || ABOUT_TOOLS.test(error.message));
}
