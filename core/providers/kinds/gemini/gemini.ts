import type { ProviderKind } from "../kind.ts";
import { decodeContent } from "./decode-content.ts";
import { geminiEmbeddings } from "./embeddings.ts";
import { encodeRequest } from "./encode-request.ts";
import { ContentTranslator } from "./content-translator.ts";
import { modelPath } from "./model-path.ts";
import { readRefusal } from "./read-refusal.ts";

/** Google's Gemini API, https://ai.google.dev/api/generate-content */
export const gemini: ProviderKind = {
  name: "gemini",
  label: "Google's Gemini API",
  baseUrl: "https://generativelanguage.googleapis.com/v1beta",
  setHeaders(headers, apiKey) {
    if (apiKey !== null) headers["x-goog-api-key"] = apiKey;
  },
  chat(request) {
    const { raw, stream, targetModel } = request;
    const method = stream ? "streamGenerateContent?alt=sse" : "generateContent";
    const body = JSON.stringify(encodeRequest(request));
    const oneCall = raw["parallel_tool_calls"] === false;
    return {
      request: { by: "http", path: `/${modelPath(targetModel)}:${method}`, body },
      decodeWhole: stream ? null : (text) => decodeContent(text, request, oneCall),
      translateStream: stream ? () => new ContentTranslator(request, oneCall) : null,
    };
  },
  embeddings: geminiEmbeddings,
  readRefusal,
};
