import { listOf, objectOf } from "../../../chat/loose-json.ts";
import { embeddingsText, embeddingTexts } from "../canonical-embeddings.ts";
import type { Exchange, KindRequest } from "../kind.ts";
import { modelPath } from "./model-path.ts";

/** Embeds any number of texts at once, https://ai.google.dev/api/embeddings */
export function geminiEmbeddings(request: KindRequest): Exchange {
  const { raw, targetModel } = request;
  const model = modelPath(targetModel);
  const { dimensions } = raw;
  const requests = embeddingTexts(raw, "Google's Gemini API").map((text) => ({
    model: decodeURIComponent(model),
    content: { parts: [{ text }] },
    ...(typeof dimensions === "number" ? { outputDimensionality: dimensions } : {}),
  }));
  return {
    request: {
      by: "http",
      path: `/${model}:batchEmbedContents`,
      body: JSON.stringify({ requests }),
    },
    decodeWhole: (text) => decodeEmbeddings(text, request),
    translateStream: null,
  };
}

function decodeEmbeddings(text: string, request: KindRequest): string {
  const { embeddings, usageMetadata } = objectOf(JSON.parse(text));
  if (!Array.isArray(embeddings)) throw new Error("These are no embeddings");
  const vectors = listOf(embeddings).map((embedding) => objectOf(embedding)["values"]);
  const { promptTokenCount } = objectOf(usageMetadata);
  return embeddingsText(
    request,
    vectors,
    typeof promptTokenCount === "number" ? promptTokenCount : null,
  );
}
