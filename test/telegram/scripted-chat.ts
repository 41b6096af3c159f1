import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A chat turn that the bot asked for. */
export interface AskedTurn {
  sessionId: string | null;
  message: unknown;
  model: string | null;
  system: string | null;
  actor: { team_id: string; end_user: string; chat_id: string };
  turnId: string | undefined;
  at: number;
  /** Set when the bot hung up before the end. */
  cancelled: boolean;
}

/** What the model says, piece by piece; a problem ends the turn with an error. */
export type Script = (
  turn: AskedTurn,
  signal: AbortSignal,
) => AsyncGenerator<string | { problem: string }>;

/** The text of a message, whatever its shape. */
export function textOf(message: unknown): string {
  if (typeof message === "string") return message;
  if (!Array.isArray(message)) return "";
  return message
    .map((part: unknown) =>
      typeof part === "object" && part !== null && "text" in part ? String(part.text) : "",
    )
    .join("");
}

async function* echo(turn: AskedTurn): AsyncGenerator<string> {
  yield `Echo: ${textOf(turn.message)}`;
}

/** The api Worker's part in tests of the bot: its routes as the contract has them, with a model that follows a script. */
export class ScriptedChat {
  readonly turns: AskedTurn[] = [];
  /** By the id of the Telegram chat; the others get their own words back. */
  readonly scripts = new Map<number, Script>();
  models = ["gpt-large", "gpt-small"];
  usage = { requests: 3, input_tokens: 1200, output_tokens: 345, cost: "0.012300" };
  /** Answers the next requests of a chat with this status and code in place of an answer. */
  readonly refusals = new Map<number, { status: number; code: string; times: number }>();
  private readonly server = createServer((request, response) => void this.serve(request, response));
  private nextSession = 1;

  get url(): string {
    const { port } = this.server.address() as AddressInfo; // a TCP server that listens has one
    return `http://127.0.0.1:${port}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://local");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const refusal = this.refusals.get(chatOf(request));
    if (refusal && refusal.times > 0) {
      refusal.times -= 1;
      return json(
        response,
        refusal.status,
        problemBody(refusal.code, refusal.status),
        "application/problem+json",
      );
    }
    if (pathname === "/health") return json(response, 200, { status: "healthy" });
    if (pathname === "/v1/models")
      return json(response, 200, {
        object: "list",
        data: this.models.map((id) => ({ id, object: "model" })),
      });
    if (pathname === "/v1/usage")
      return json(response, 200, { data: [this.usage], next_cursor: null });
    if (pathname === "/v1/chat")
      return this.chat(request, JSON.parse(Buffer.concat(chunks).toString()), response);
    return json(response, 404, problemBody("not_found", 404), "application/problem+json");
  }

  private async chat(
    request: IncomingMessage,
    body: {
      session_id: string | null;
      message: unknown;
      model: string | null;
      system: string | null;
    },
    response: ServerResponse,
  ): Promise<void> {
    const turn: AskedTurn = {
      sessionId: body.session_id,
      message: body.message,
      model: body.model,
      system: body.system,
      actor: JSON.parse(String(request.headers["x-switchyard-actor"])),
      turnId: request.headers["idempotency-key"]?.toString(),
      at: Date.now(),
      cancelled: false,
    };
    this.turns.push(turn);
    const sessionId = body.session_id ?? `sess_${this.nextSession++}`;
    const gone = new AbortController();
    response.on("close", () => {
      turn.cancelled = !response.writableFinished;
      gone.abort();
    });
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "x-request-id": "req_scripted",
      "x-session-id": sessionId,
    });
    response.flushHeaders();
    let reply = "";
    for await (const piece of (this.scripts.get(chatOf(request)) ?? echo)(turn, gone.signal)) {
      if (gone.signal.aborted) return;
      if (typeof piece !== "string") {
        response.end(`event: error\ndata: ${JSON.stringify(problemBody(piece.problem, 500))}\n\n`);
        return;
      }
      reply += piece;
      response.write(`event: delta\ndata: ${JSON.stringify({ text: piece })}\n\n`);
    }
    const done = {
      session_id: sessionId,
      message_id: "msg_1",
      reply,
      model: "scripted",
      finish_reason: "stop",
      usage: {},
    };
    response.end(`event: done\ndata: ${JSON.stringify(done)}\n\n`);
  }
}

const chatOf = (request: IncomingMessage) =>
  Number(/"chat_id":"(-?\d+)"/.exec(String(request.headers["x-switchyard-actor"]))?.[1]);

const problemBody = (code: string, status: number) => ({
  type: "about:blank",
  title: code,
  status,
  code,
  request_id: "req_scripted",
});

function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  type = "application/json",
): void {
  response
    .writeHead(status, { "content-type": type, "x-request-id": "req_scripted" })
    .end(JSON.stringify(body));
}

export async function startScriptedChat(): Promise<ScriptedChat> {
  const chat = new ScriptedChat();
  await chat.listen();
  return chat;
}

/** Resolves after some time, or at once when the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
