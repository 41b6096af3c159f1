import { estimateTokens } from "../../../chat/estimate-tokens.ts";
import { type Fields, objectOf } from "../../../chat/loose-json.ts";
import { type CanonicalUsage, readCompletion } from "../canonical.ts";

/** What an answer in the shape of the Responses API is made with. */
export interface ResponseFrame {
  /** The response's id without its prefix; all ids of the answer are made of it. */
  rest: string;
  /** The response that this one goes on from. */
  previousId: string | null;
  /** Seconds since 1970. */
  createdAt: number;
  /** The request's body, of which the answer repeats a part. */
  body: Fields;
  /** Keeps the response, and says whether it is kept; null where it is not to be. */
  keep: ((response: Fields) => Promise<boolean>) | null;
  /** Counts the request's own tokens, called only where the provider did not. */
  estimateInput: () => number;
}

export type ItemStatus = "in_progress" | "completed" | "incomplete";

/** `resp_…` and so on. */
export const idOf = (prefix: string, frame: ResponseFrame) => `${prefix}_${frame.rest}`;

/** A response; what is not given is as in one that has just begun. */
export function responseObject(frame: ResponseFrame, model: string | null, more: Fields): Fields {
  const { body } = frame;
  return {
    id: idOf("resp", frame),
    object: "response",
    created_at: frame.createdAt,
    status: "in_progress",
    access_programs: null,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: body["instructions"] ?? null,
    max_output_tokens: body["max_output_tokens"] ?? null,
    metadata: body["metadata"] ?? {},
    model: model ?? body["model"],
    output: [],
    parallel_tool_calls: body["parallel_tool_calls"] ?? true,
    previous_response_id: frame.previousId,
    reasoning: { effort: objectOf(body["reasoning"])["effort"] ?? null, summary: null },
    safety_identifier: body["safety_identifier"] ?? null,
    store: frame.keep !== null,
    temperature: body["temperature"] ?? null,
    text: { format: { type: "text" }, ...objectOf(body["text"]) },
    tool_choice: body["tool_choice"] ?? "auto",
    tools: body["tools"] ?? [],
    top_p: body["top_p"] ?? null,
    truncation: "disabled",
    ...more,
  };
}

export const textPart = (text: string) => ({
  type: "output_text",
  text,
  annotations: [],
  logprobs: [],
});
export const refusalPart = (refusal: string) => ({ type: "refusal", refusal });
export const reasoningPart = (text: string) => ({ type: "reasoning_text", text });

/** How an answer ended. */
export function endOf(finishReason: string | null) {
  const reason =
    finishReason === "length"
      ? "max_output_tokens"
      : finishReason === "content_filter"
        ? "content_filter"
        : null;
  return reason === null
    ? { status: "completed" as const, incomplete_details: null }
    : { status: "incomplete" as const, incomplete_details: { reason } };
}

export function usageOf(
  usage: CanonicalUsage | null,
  frame: Pick<ResponseFrame, "estimateInput">,
  written: string,
) {
  const input = usage?.input ?? frame.estimateInput();
  const output = usage?.output ?? estimateTokens(written);
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: usage?.cachedInput ?? 0,
      cache_write_tokens: usage?.cacheWrite ?? 0,
    },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage?.reasoning ?? 0 },
    total_tokens: input + output,
  };
}

/** The response as it was kept, which is said in it; what could not be kept says so. */
export async function keptResponse(response: Fields, frame: ResponseFrame): Promise<Fields> {
  return frame.keep === null || (await frame.keep(response))
    ? response
    : { ...response, store: false };
}

/** Writes a whole chat completion, as JSON text, as a response, once it is kept. */
export async function writeResponse(completion: string, frame: ResponseFrame): Promise<string> {
  const part = readCompletion(JSON.parse(completion));
  const { model, text, reasoning, refusal, toolCalls } = part;
  const { status, incomplete_details } = endOf(part.finishReason);
  const content = [
    ...(text === "" ? [] : [textPart(text)]),
    ...(refusal === "" ? [] : [refusalPart(refusal)]),
  ];
  const items: Fields[] = [];
  const add = (prefix: string, item: Fields) =>
    items.push({ id: `${idOf(prefix, frame)}_${items.length}`, status, ...item });
  if (reasoning !== "")
    add("rs", { type: "reasoning", summary: [], content: [reasoningPart(reasoning)] });
  if (content.length > 0) add("msg", { type: "message", role: "assistant", content });
  toolCalls.forEach((call, index) =>
    add("fc", {
      type: "function_call",
      call_id: call.id ?? `${idOf("call", frame)}_${index}`,
      name: call.name ?? "",
      arguments: call.arguments,
    }),
  );
  const called = toolCalls.map((call) => call.name + call.arguments).join("");
  const usage = usageOf(part.usage, frame, reasoning + text + refusal + called);
  const ended = { status, incomplete_details, output: items, usage };
  return JSON.stringify(await keptResponse(responseObject(frame, model, ended), frame));
}
