import { objectOf } from "../../../chat/loose-json.ts";
import { completionText } from "../canonical-answer.ts";
import type { KindRequest } from "../kind.ts";
import { finishOf, isCanonical, readOutput } from "./output.ts";

/**
 * A model's output as a canonical completion.
 * @throws Error where it is none
 */
export function decodeOutput(text: string, request: KindRequest): string {
  const answer = objectOf(JSON.parse(text));
  if (isCanonical(answer)) return JSON.stringify({ ...answer, model: request.model });
  if (!("response" in answer) && !("tool_calls" in answer))
    throw new Error("This is no output of a text model");
  let made = 0;
  const output = readOutput(answer, () => `call_${request.requestId}_${made++}`);
  const { calls, usage } = output;
  const message = {
    role: "assistant" as const,
    content: output.text === "" && calls.length > 0 ? null : output.text,
    refusal: null,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
  const finish_reason = finishOf(calls.length > 0, usage, request);
  return completionText(
    `chatcmpl-${request.requestId}`,
    request,
    [{ index: 0, message, finish_reason }],
    usage,
  );
}
