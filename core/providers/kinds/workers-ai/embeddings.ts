import { listOf, objectOf } from "../../../chat/loose-json.ts";
import { embeddingsText, embeddingTexts } from "../canonical-embeddings.ts";
import { type Exchange, type KindRequest, unsupported } from "../kind.ts";

/** Embeds texts, https://developers.cloudflare.com/workers-ai/models/bge-m3/ */
export function workersAiEmbeddings(request: KindRequest): Exchange {
  const { raw, targetModel } = request;
  if (typeof raw["dimensions"] === "number")
    throw unsupported("Workers AI", "dimensions", "has no counterpart");
  return {
    request: {
      by: "ai_binding",
      model: targetModel,
      input: { text: embeddingTexts(raw, "Workers AI") },
    },
    decodeWhole: (text) => decodeEmbeddings(text, request),
    translateStream: null,
  };
}

function decodeEmbeddings(text: string, request: KindRequest): string {
  const { data, usage } = objectOf(JSON.parse(text));
  if (!Array.isArray(data)) throw new Error("These are no embeddings");
  const { prompt_tokens: tokens } = objectOf(usage);
  return embeddingsText(request, listOf(data), typeof tokens === "number" ? tokens : null);
}
