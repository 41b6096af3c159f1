import type { ServerResponse } from "node:http";
import { vectorOf } from "../completion-protocol.ts";
import { exampleOf, type Fields, fields, list, only, Refused } from "../expectations.ts";
import type { Fault } from "../fault.ts";
import { writeAnswer } from "../fault-writer.ts";
import { type RecordedRequest, startRecordingServer } from "../recording-server.ts";
import { type Script, ScriptedRequests } from "../scripted-requests.ts";

/**
 * The service behind Workers AI's binding. The binding is workerd's own; miniflare carries its requests here as it would
 * carry them to Cloudflare, with the address in `MF-URL` and each header behind `MF-Header-`.
 */
export interface AiService {
  /** What the binding gets as `remoteProxyConnectionString`. */
  url: URL;
  /** The inputs that each model was run with. */
  inputsFor(model: string): Fields[];
  requests: RecordedRequest[];
  script(model: string, script: Script): void;
  stop(): Promise<void>;
}

/** https://developers.cloudflare.com/workers-ai/platform/errors/ */
class AiError extends Refused {
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message, status);
    this.code = code;
  }
}

export const INPUT_TOKENS = 17;
/** Models of OpenAI's form; the others are older, and know `response` and plain texts only. */
const isNewer = (model: string) => !model.includes("llama-3");
const KNOWN = [
  "frequency_penalty",
  "logprobs",
  "max_tokens",
  "messages",
  "parallel_tool_calls",
  "presence_penalty",
  "reasoning_effort",
  "response_format",
  "seed",
  "stop",
  "stream",
  "stream_options",
  "temperature",
  "tool_choice",
  "tools",
  "top_k",
  "top_logprobs",
  "top_p",
];

/** Starts the service. A scripted status of 400 or more comes with the code of `finishReason`. */
export async function startAiService(): Promise<AiService> {
  const modelOf = ({ headers }: RecordedRequest) => String(headers["mf-header-cf-consn-model-id"]);
  const inputOf = ({ body }: RecordedRequest) => fields(body?.["inputs"], "inputs");
  const scripted = new ScriptedRequests(modelOf);
  const { requests, requestsFor, script } = scripted;

  const answer = async (request: RecordedRequest, response: ServerResponse): Promise<void> => {
    if (request.headers["mf-url"] !== "https://workers-binding.ai/run?version=3")
      throw new AiError(404, 7000, `No route for ${String(request.headers["mf-url"])}`);
    const model = modelOf(request);
    if (!/^@(cf|hf)\//.test(model)) throw new AiError(400, 5007, `No such model ${model} or task`);
    only(fields(request.body, "body"), ["inputs", "options"], (name) => `${name} is no option`);
    only(
      fields(request.body?.["options"] ?? {}, "options"),
      ["returnRawResponse"],
      (name) => `${name} is no option`,
    );
    const fault = scripted.scripted(model) ?? {};
    const headers = { "mf-forwarded-response": "1", "cf-ai-req-id": "0b1c", ...fault.headers };
    const marked: Fault = { ...fault, headers };
    if ((fault.status ?? 200) >= 400) {
      const errors = [{ code: Number(fault.finishReason ?? 3000), message: "AiError: it failed" }];
      return writeAnswer(response, marked, { body: { errors } });
    }
    const input = inputOf(request);
    if (input["text"] !== undefined)
      return writeAnswer(response, marked, { body: embeddingsOf(input) });
    checkInput(input, model);
    const reply = replyTo(input, model, fault);
    if (input["stream"] !== true)
      return writeAnswer(response, marked, {
        body: isNewer(model) ? completion(reply) : output(reply),
      });
    const error = `data: ${JSON.stringify({ errors: [{ code: 3040, message: "Capacity temporarily exceeded" }] })}\n\n`;
    const opening = isNewer(model) ? 1 : 0;
    return writeAnswer(response, marked, {
      framed: { frames: framesOf(reply, model), opening, error },
    });
  };

  const server = await startRecordingServer((request, response) => {
    requests.push(request);
    return answer(request, response).catch((thrown: unknown) => {
      const error =
        thrown instanceof AiError
          ? thrown
          : new AiError(400, 5006, `AiError: Bad input: ${String(thrown)}`);
      const { code, message, status } = error;
      const headers = { "mf-forwarded-response": "1" };
      return writeAnswer(response, { status, headers }, { body: { errors: [{ code, message }] } });
    });
  });
  return {
    url: new URL(server.url),
    requests,
    inputsFor: (model) => requestsFor(model).map(inputOf),
    script,
    stop: server.stop,
  };
}

/** https://developers.cloudflare.com/workers-ai/models/ */
function checkInput(input: Fields, model: string): void {
  only(input, KNOWN, (name) => `'/${name}' must NOT have additional properties`);
  for (const [index, value] of list(
    input["messages"],
    "required properties at '/' are 'messages'",
  ).entries()) {
    const message = fields(value, "message");
    if (!["system", "user", "assistant", "tool"].includes(String(message["role"])))
      throw new Refused(`'/messages/${index}/role' must be one of system, user, assistant, tool`);
    if (
      typeof message["content"] !== "string" &&
      !(isNewer(model) && Array.isArray(message["content"]))
    )
      throw new Refused(`Type mismatch of '/messages/${index}/content', 'string' not in 'array'`);
  }
}

interface Reply {
  pieces: string[];
  calls: { name: string; arguments: Fields }[];
  length: boolean;
}

function replyTo(input: Fields, model: string, fault: Fault): Reply {
  const messages = list(input["messages"], "messages").map((message) => fields(message, "message"));
  const last = fields(messages.at(-1), "message");
  const tools = list(input["tools"] ?? [], "tools").map((tool) =>
    fields(fields(tool, "tool")["function"], "function"),
  );
  if (tools.length > 0 && last["role"] !== "tool" && input["tool_choice"] !== "none") {
    const calls = tools.map(({ name, parameters }) => ({
      name: String(name),
      arguments: fields(exampleOf(parameters), "arguments"),
    }));
    return { pieces: [], calls, length: false };
  }
  const words = fault.pieces ?? sentenceFor(input, messages).match(/\s*\S+/g) ?? [""];
  const limit = Number(input["max_tokens"] ?? 256);
  return {
    pieces: words.slice(0, limit),
    calls: [],
    length: words.length > limit && isNewer(model),
  };
}

function sentenceFor(input: Fields, messages: Fields[]): string {
  const format = fields(input["response_format"] ?? {}, "format");
  if (format["type"] === "json_schema") {
    const schema = fields(format["json_schema"], "json_schema");
    return JSON.stringify(exampleOf(schema["schema"] ?? schema));
  }
  const last = messages.at(-1);
  if (last?.["role"] === "tool") {
    const results = messages
      .filter(({ role }) => role === "tool")
      .map(({ content }) => String(content));
    return `The tools said: ${results.join(" and ")}`;
  }
  const content = last?.["content"];
  if (typeof content === "string") return `You said: ${content}`;
  const parts = list(content, "content").map((part) => fields(part, "part"));
  const pictures = parts.filter(({ type }) => type === "image_url").length;
  return `You sent ${pictures} images and said: ${parts.flatMap(({ text }) => (text === undefined ? [] : [String(text)])).join(" ")}`;
}

const usageOf = ({ pieces, calls }: Reply) => {
  const written = pieces.length + calls.length * 4;
  return {
    prompt_tokens: INPUT_TOKENS,
    completion_tokens: written,
    total_tokens: INPUT_TOKENS + written,
  };
};

/** An older model's answer: calls are flat, and have no ids. */
const output = (reply: Reply) => ({
  response: reply.calls.length > 0 ? null : reply.pieces.join(""),
  ...(reply.calls.length > 0 ? { tool_calls: reply.calls } : {}),
  usage: usageOf(reply),
});

const openAiCalls = ({ calls }: Reply) =>
  calls.map((call, index) => ({
    index,
    id: `chatcmpl-tool-${index}`,
    type: "function",
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));

const finishOf = ({ calls, length }: Reply) =>
  calls.length > 0 ? "tool_calls" : length ? "length" : "stop";

function completion(reply: Reply): object {
  const calls = openAiCalls(reply);
  const message = {
    role: "assistant",
    content: calls.length > 0 ? null : reply.pieces.join(""),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: finishOf(reply) }];
  return {
    id: "id-1",
    object: "chat.completion",
    created: 1,
    model: "x",
    choices,
    usage: usageOf(reply),
  };
}

function framesOf(reply: Reply, model: string): string[] {
  const write = (event: object) => `data: ${JSON.stringify(event)}\n\n`;
  const done = "data: [DONE]\n\n";
  if (!isNewer(model)) {
    const said = reply.pieces.map((response) => write({ response, p: "abdefgh" }));
    const called = reply.calls.length > 0 ? [write({ response: "", tool_calls: reply.calls })] : [];
    return [...said, ...called, write({ response: "", usage: usageOf(reply) }), done];
  }
  const chunk = (delta: object, finish_reason: string | null = null) =>
    write({
      id: "id-1",
      object: "chat.completion.chunk",
      created: 1,
      model,
      choices: [{ index: 0, delta, finish_reason }],
    });
  const calls = openAiCalls(reply).map((call) => chunk({ tool_calls: [call] }));
  const said = reply.pieces.map((content) => chunk({ content }));
  const usage = {
    id: "id-1",
    object: "chat.completion.chunk",
    created: 1,
    model,
    choices: [],
    usage: usageOf(reply),
  };
  return [
    chunk({ role: "assistant", content: "" }),
    ...said,
    ...calls,
    chunk({}, finishOf(reply)),
    write(usage),
    done,
  ];
}

/** https://developers.cloudflare.com/workers-ai/models/bge-m3/ */
function embeddingsOf(input: Fields): object {
  only(input, ["text"], (name) => `'/${name}' must NOT have additional properties`);
  const data = list(input["text"], "text must be a list").map((text) => vectorOf(String(text), 8));
  return { shape: [data.length, 8], data, pooling: "mean" };
}
