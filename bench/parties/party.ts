import type { LoadRequest } from "../load/load.ts";
import type { Processes } from "../process/parent.ts";
import type { ModelName } from "../upstream/replies.ts";

/** What the bench sends to a party, before it knows what a right answer looks like. */
export type PartyRequest = Omit<LoadRequest, "expect">;

/** How many requests a party got from the bench, since it started. */
export type Requests = {
  /** Those whose answer arrived whole. */
  answered: number;
  /** Those that were cut while the party worked on them. */
  cut: number;
};

export type PartyName = "bare" | "portkey_node" | "switchyard";

/** One of those who are measured: a gateway in processes of its own, in front of the bench's upstream. */
export type Party = {
  name: PartyName;
  /** Processes that answer requests. */
  pids: number[];
  /** Processes that do what no client waits for; where it is deployed they are other machines. */
  pidsBehind?: number[];
  /** A chat completion through this party. */
  chat: (options: { model: ModelName; stream: boolean }) => PartyRequest;
  /** What the party answers besides chats: the address of a path, and the headers that open it. */
  at?: (path: string) => { url: string; headers: Record<string, string> };
  /**
   * Waits until the work that the party put off is done, so that it does not slow the next party's
   * round, and throws where the party lost or invented some. Returns what it found, in a line.
   */
  settle?: (got: Requests) => Promise<string>;
  /** Makes more keys, each of which may do what the first one may; returns them as values of `authorization`. */
  makeKeys?: (count: number) => Promise<string[]>;
  /** Records a CPU profile of the gateway for some seconds, as the JSON of a `.cpuprofile`. */
  profile?: (seconds: number) => Promise<string>;
};

export type PartyOptions = {
  processes: Processes;
  /** Address of the model provider, without a path. */
  upstream: string;
  /** Whether the party must be ready to be profiled. */
  profiled: boolean;
};

export const chatPath = "/v1/chat/completions";

/** Chat completions of whoever is at this address, without a path. */
export function chatAt(origin: string, authorization = "Bearer bench"): Party["chat"] {
  return (options) => ({
    url: origin + chatPath,
    headers: { "content-type": "application/json", authorization },
    body: chatBody(options),
  });
}

/** The body of a small chat request, as a client of OpenAI's API sends it. */
export function chatBody({ model, stream }: { model: ModelName; stream: boolean }): string {
  return JSON.stringify({
    model,
    messages: [
      { role: "system", content: "You are a signalman. Answer in two sentences." },
      { role: "user", content: "What happened in the yard last night?" },
    ],
    temperature: 0.2,
    ...(stream ? { stream: true } : {}),
  });
}
