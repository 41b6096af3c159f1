import type { ApiClient } from "#test/harness/api-client.ts";
import { readEvents } from "#test/gateway/event-stream.ts";

/** Whoever waits longer for a whole answer was left hanging, in milliseconds. */
const LEFT_HANGING_MS = 30_000;
/** Between two requests of one caller, in milliseconds: the machine has other things to do. */
const PAUSE_MS = 25;

/** What a client saw of one request. */
export interface Asked {
  /** Our id of it; null where no answer came at all. */
  id: string | null;
  model: string;
  streamed: boolean;
  /** HTTP status; 0 where no answer came. */
  status: number;
  /** `error.code` of the body, or of the stream's last event; null for a good answer. */
  code: string | null;
  headers: Headers;
  tookMs: number;
}

/** Sends one chat completion, and reads its answer to the end. */
export async function ask(client: ApiClient, model: string, streamed: boolean): Promise<Asked> {
  const began = Date.now();
  const body = { model, messages: [{ role: "user", content: "hi" }], stream: streamed };
  const signal = AbortSignal.timeout(LEFT_HANGING_MS);
  const asked = { id: null, model, streamed, status: 0, code: null, headers: new Headers() };
  try {
    const response = await client.request("POST", "/v1/chat/completions", body, {}, signal);
    const { status, headers } = response;
    const code = await (streamed && status === 200 ? codeOfStream : codeOfBody)(response);
    const id = headers.get("x-request-id");
    return { ...asked, id, status, headers, code, tookMs: Date.now() - began };
  } catch (error) {
    return { ...asked, code: String(error), tookMs: Date.now() - began };
  }
}

async function codeOfBody(response: Response): Promise<string | null> {
  const body = (await response.json()) as { error?: { code: string | null } }; // OpenAI's shapes
  return body.error ? (body.error.code ?? "none") : null;
}

async function codeOfStream(response: Response): Promise<string | null> {
  const { events } = await readEvents(response);
  const last = events.at(-1)?.data;
  if (last === "[DONE]") return null;
  const body = JSON.parse(last ?? "{}") as { error?: { code: string | null } }; // as above
  return body.error?.code ?? "cut";
}

/** Callers that ask one time after the other until they are stopped. */
export interface Load {
  asked: Asked[];
  stop(): Promise<void>;
}

/** @param models each caller asks them in turn, whole and streamed */
export function startLoad(client: ApiClient, models: readonly string[], callers: number): Load {
  const asked: Asked[] = [];
  let running = true;
  const call = async (caller: number) => {
    for (let turn = caller; running; turn++) {
      const model = models[turn % models.length] ?? "";
      asked.push(await ask(client, model, Math.floor(turn / models.length) % 2 === 0));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  const work = Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  return {
    asked,
    async stop() {
      running = false;
      await work;
    },
  };
}
