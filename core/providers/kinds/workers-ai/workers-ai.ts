import type { ProviderKind } from "../kind.ts";
import { decodeOutput } from "./decode-output.ts";
import { workersAiEmbeddings } from "./embeddings.ts";
import { encodeInput } from "./encode-input.ts";
import { OutputTranslator } from "./output-translator.ts";
import { readRefusal } from "./read-refusal.ts";

/** Cloudflare's Workers AI by its binding, https://developers.cloudflare.com/workers-ai/configuration/bindings/ */
export const workersAi: ProviderKind = {
  name: "workers_ai",
  label: "Workers AI",
  baseUrl: null,
  setHeaders() {
    // The binding is the Worker's own: there is no key, and no header.
  },
  chat(request) {
    const { stream, targetModel } = request;
    return {
      request: { by: "ai_binding", model: targetModel, input: encodeInput(request) },
      decodeWhole: stream ? null : (text) => decodeOutput(text, request),
      translateStream: stream ? () => new OutputTranslator(request) : null,
    };
  },
  embeddings: workersAiEmbeddings,
  readRefusal,
};
