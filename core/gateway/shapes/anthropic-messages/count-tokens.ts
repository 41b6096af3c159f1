import { estimatePromptTokens } from "../../../chat/estimate-tokens.ts";
import { parseJsonObject, type ChatRequest } from "../../chat-request.ts";
import { readConversation } from "./read-request.ts";

/**
 * Reads the body of Anthropic's `POST /v1/messages/count_tokens`.
 * @throws AppError `invalid_json`, `invalid_request`
 */
export const readCountRequest = (text: string): ChatRequest =>
  readConversation(parseJsonObject(text));

/** The tokens of a request, estimated as everywhere in this gateway: no model is asked. */
export function estimateRequestTokens({ messages, raw }: ChatRequest): number {
  const { tools } = raw;
  return estimatePromptTokens(messages, Array.isArray(tools) ? tools : undefined);
}
