import { objectOf } from "../../../chat/loose-json.ts";
import type { ProviderKind, Refusal } from "../kind.ts";
import { decodeMessage } from "./decode-message.ts";
import { encodeRequest, leftOutOf } from "./encode-request.ts";
import { nativeRequest } from "./native.ts";
import { MessageTranslator } from "./message-translator.ts";

/** https://platform.claude.com/docs/en/api/versioning */
const VERSION = "2023-06-01";

/** Anthropic's Messages API, https://platform.claude.com/docs/en/api/messages */
export const anthropic: ProviderKind = {
  name: "anthropic",
  label: "Anthropic",
  baseUrl: "https://api.anthropic.com/v1",
  setHeaders(headers, apiKey) {
    headers["anthropic-version"] = VERSION;
    if (apiKey !== null) headers["x-api-key"] = apiKey;
  },
  chat(request) {
    const encoded = encodeRequest(request);
    const body = JSON.stringify(encoded);
    const betas = nativeRequest(request.raw)?.betas ?? null;
    const headers = betas === null ? {} : { headers: { "anthropic-beta": betas } };
    return {
      request: { by: "http", path: "/messages", body, ...headers },
      decodeWhole: request.stream ? null : (text) => decodeMessage(text, request),
      leftOut: leftOutOf(request.raw, encoded),
      translateStream: request.stream ? () => new MessageTranslator(request) : null,
    };
  },
  embeddings: null,
  readRefusal,
};

/** Reads `{"type": "error", "error": {"type", "message"}}`, https://platform.claude.com/docs/en/api/errors */
function readRefusal(status: number, text: string | null): Refusal {
  const { message } = errorOf(text);
  const sentence = typeof message === "string" ? message : null;
  return {
    // An account without money answers 400, as if the client were at fault.
    status: status === 400 && sentence?.includes("credit balance") ? 402 : status,
    message: sentence,
    param: null,
    retryAfterSeconds: null,
  };
}

function errorOf(text: string | null): Record<string, unknown> {
  try {
    return objectOf(objectOf(JSON.parse(text ?? ""))["error"]);
  } catch {
    return {};
  }
}
