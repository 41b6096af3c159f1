import { z } from "zod";
import { ERROR_CODES, type ErrorCode } from "#core/kernel/errors.ts";
import type { Scope } from "#core/kernel/scopes.ts";
import type { ShownVin, ShownWrongVin } from "#core/skills/vin/vin-card.ts";
import { vinShape, wrongVinShape } from "#core/skills/vin/vin-shape.ts";
import { JOB_STATES } from "#schema";
import { readServerEvents } from "./read-server-events.ts";

/** For whom the bot asks. */
export interface Actor {
  teamId: string;
  endUser: string;
  chatId: number;
  scopes: readonly Scope[];
}

export type ChatPart =
  | { type: "text"; text: string }
  | { type: "image_url"; image_url: { url: string } };

export interface ChatRequest {
  sessionId: string | null;
  message: string | ChatPart[];
  model: string | null;
  system: string | null;
  /** The same question under the same name is answered once, also where the first answer broke off. */
  turnId: string;
}

export type ChatEvent =
  /** The conversation in which the answer is given; comes first. */
  | { kind: "session"; sessionId: string }
  | { kind: "delta"; text: string }
  /** A skill that the model uses, and the job that it has begun with it. */
  | {
      kind: "tool";
      skill: string;
      state: "running" | "done" | "failed";
      jobId: string | null;
      progress: WatchedJob["progress"] | null;
    }
  | { kind: "done"; sessionId: string; reply: string };

export interface UsageSums {
  requests: number;
  inputTokens: number;
  outputTokens: number;
  /** US dollars, as the API writes them. */
  cost: string;
}

/** What the api Worker refuses, with its own code. */
export class SwitchyardProblem extends Error {
  readonly code: ErrorCode;
  readonly requestId: string | null;

  constructor(code: ErrorCode, requestId: string | null, cause?: unknown) {
    super(`The api Worker answered ${code}`, { cause });
    this.name = "SwitchyardProblem";
    this.code = code;
    this.requestId = requestId;
  }
}

const problem = z.object({ code: z.string().nullish(), request_id: z.string().nullish() });
const delta = z.object({ text: z.string() });
const progressOfJob = z.object({
  done: z.number(),
  total: z.number().nullable(),
  message: z.string(),
});
const tool = z.object({
  name: z.string(),
  state: z.enum(["running", "done", "failed"]),
  job_id: z.string().optional(),
  progress: progressOfJob.optional(),
});
const done = z.object({ session_id: z.string(), reply: z.string() });
const models = z.object({ data: z.array(z.object({ id: z.string() })) });
const usage = z.object({
  data: z.array(
    z.object({
      requests: z.number(),
      input_tokens: z.number(),
      output_tokens: z.number(),
      cost: z.string(),
    }),
  ),
});

const readVinsAnswer = z.object({
  data: z.array(z.discriminatedUnion("valid", [vinShape, wrongVinShape])),
});

const made = z.object({ id: z.string() });
const vinFileMade = z.object({ job: made });
const watchedJob = z.object({
  state: z.enum(JOB_STATES),
  progress: progressOfJob,
  error: z.object({ message: z.string() }).nullable(),
  result: z.unknown(),
  results: z.array(z.object({ name: z.string(), size: z.number(), url: z.string() })),
});
/** A job as far as chats are shown it. */
export type WatchedJob = z.output<typeof watchedJob>;

/** A stream that says nothing for this long is dead. */
const SILENCE_MS = 120_000;
const CALL_MS = 20_000;
const FILE_MS = 120_000;
/** Longer than skills may take. */
const SKILL_MS = 70_000;
const ORIGIN = "https://internal";

/** The api Worker as the bot uses it, through the service binding. */
export class SwitchyardApi {
  private readonly binding: Pick<Fetcher, "fetch">;
  private readonly actor: Actor;
  private readonly requestId: string;

  constructor(binding: Pick<Fetcher, "fetch">, actor: Actor, requestId: string) {
    this.binding = binding;
    this.actor = actor;
    this.requestId = requestId;
  }

  /**
   * Asks the model and gives its answer as it comes. Ending the iteration ends the turn, and keeps what was generated.
   * @throws SwitchyardProblem
   */
  async *chat(request: ChatRequest, stop: AbortSignal): AsyncGenerator<ChatEvent> {
    const body = {
      session_id: request.sessionId,
      message: request.message,
      // Null takes back what an earlier message of the conversation said.
      model: request.model,
      system: request.system,
      stream: true,
    };
    const silence = new AbortController();
    const signal = AbortSignal.any([stop, silence.signal]);
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    const requestId = { current: null as string | null };
    try {
      const response = await this.fetch("/v1/chat", {
        method: "POST",
        body: JSON.stringify(body),
        signal,
        headers: { "idempotency-key": request.turnId },
      });
      requestId.current = response.headers.get("x-request-id");
      const sessionId = response.headers.get("x-session-id");
      if (sessionId !== null) yield { kind: "session", sessionId };
      if (!response.body) throw new SwitchyardProblem("internal_error", requestId.current);
      for await (const { event, data } of readServerEvents(response.body, signal)) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        const parsed = chatEvent(event, data);
        if (parsed) yield parsed;
        if (parsed?.kind === "done") return;
      }
      if (!signal.aborted) throw new SwitchyardProblem("stream_cut", requestId.current);
      if (!stop.aborted) throw new SwitchyardProblem("provider_timeout", requestId.current);
    } catch (error) {
      if (error instanceof SwitchyardProblem) throw error;
      if (stop.aborted) return;
      throw new SwitchyardProblem(
        silence.signal.aborted ? "provider_timeout" : "unavailable",
        requestId.current,
        error,
      );
    } finally {
      clearTimeout(timer);
    }
  }

  /** The names of the models that the team may use. @throws SwitchyardProblem */
  async models(): Promise<string[]> {
    return models.parse(await this.json("/v1/models")).data.map((model) => model.id);
  }

  /** What this user used since a day. @throws SwitchyardProblem */
  async usageSince(from: Date): Promise<UsageSums | null> {
    const query = new URLSearchParams({
      from: from.toISOString(),
      group_by: "end_user",
      end_user: this.actor.endUser,
    });
    const { data } = usage.parse(await this.json(`/v1/usage?${query.toString()}`));
    const [sums] = data;
    return sums
      ? {
          requests: sums.requests,
          inputTokens: sums.input_tokens,
          outputTokens: sums.output_tokens,
          cost: sums.cost,
        }
      : null;
  }

  /** What VINs say, in their order. @throws SwitchyardProblem */
  async readVins(vins: readonly string[]): Promise<(ShownVin | ShownWrongVin)[]> {
    const init = { method: "POST", body: JSON.stringify({ vins }) };
    return readVinsAnswer.parse(await this.json("/v1/vin/batch", init)).data;
  }

  /** Makes a job of a file of VINs; the same key gives the same one. @returns its id @throws SwitchyardProblem */
  async readVinFile(file: {
    body: Uint8Array<ArrayBuffer>;
    name: string;
    contentType: string;
    requestKey: string;
  }): Promise<string> {
    const path = `/v1/vin/batch?${new URLSearchParams({ name: file.name }).toString()}`;
    const headers = { "content-type": file.contentType, "idempotency-key": file.requestKey };
    const answer = await this.json(path, { method: "POST", body: file.body, headers });
    return vinFileMade.parse(answer).job.id;
  }

  /** How far a job is. @throws SwitchyardProblem */
  async job(jobId: string): Promise<WatchedJob> {
    return watchedJob.parse(await this.json(`/v1/jobs/${jobId}`));
  }

  /** A file that a job has made. @throws SwitchyardProblem */
  async download(path: string): Promise<Uint8Array> {
    try {
      const response = await this.fetch(path, { signal: AbortSignal.timeout(FILE_MS) });
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      throw error instanceof SwitchyardProblem
        ? error
        : new SwitchyardProblem("unavailable", null, error);
    }
  }

  /** Ends a job, if that is still possible. */
  async cancelJob(jobId: string): Promise<void> {
    await this.json(`/v1/jobs/${jobId}/cancel`, { method: "POST", body: "{}" }).catch(
      () => undefined,
    ); // it may have ended
  }

  /**
   * Uses a skill. @param useId the same use under the same name is made and charged once
   * @throws SwitchyardProblem
   */
  async useSkill(name: string, input: object, useId: string): Promise<unknown> {
    const headers = { "idempotency-key": useId };
    const init = { method: "POST", body: JSON.stringify(input), headers };
    return this.json(`/v1/skills/${name}`, init, SKILL_MS);
  }

  /** Begins the job of a skill that is one, in the same way. @returns its id @throws SwitchyardProblem */
  async beginSkill(name: string, input: object, useId: string): Promise<string> {
    return made.parse(await this.useSkill(name, input, useId)).id;
  }

  private async json(path: string, init: RequestInit = {}, callMs = CALL_MS): Promise<unknown> {
    try {
      const response = await this.fetch(path, { ...init, signal: AbortSignal.timeout(callMs) });
      return await response.json();
    } catch (error) {
      throw error instanceof SwitchyardProblem
        ? error
        : new SwitchyardProblem("unavailable", null, error);
    }
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    const { teamId, endUser, chatId, scopes } = this.actor;
    const headers = new Headers(init.headers);
    const actor = { team_id: teamId, end_user: endUser, chat_id: String(chatId), scopes };
    headers.set("x-switchyard-actor", JSON.stringify(actor));
    headers.set("x-client-request-id", this.requestId);
    if (init.body !== undefined && !headers.has("content-type"))
      headers.set("content-type", "application/json");
    const response = await this.binding.fetch(ORIGIN + path, { ...init, headers });
    if (response.ok) return response;
    throw problemOf(await response.json().catch(() => null), response.headers.get("x-request-id"));
  }
}

function problemOf(body: unknown, requestId: string | null): SwitchyardProblem {
  const parsed = problem.safeParse(body).data;
  const code = ERROR_CODES.find((known) => known === parsed?.code) ?? "internal_error";
  return new SwitchyardProblem(code, parsed?.request_id ?? requestId);
}

function chatEvent(event: string, data: string): ChatEvent | null {
  const body: unknown = JSON.parse(data);
  switch (event) {
    case "delta":
      return { kind: "delta", text: delta.parse(body).text };
    case "tool": {
      const { name: skill, state, job_id: jobId = null, progress = null } = tool.parse(body);
      return { kind: "tool", skill, state, jobId, progress };
    }
    case "done": {
      const { session_id: sessionId, reply } = done.parse(body);
      return { kind: "done", sessionId, reply };
    }
    case "error":
      throw problemOf(body, null);
    default:
      return null;
  }
}
