import { type Fields, listOf } from "../../chat/loose-json.ts";
import { type KindRequest, malformed, unsupported } from "./kind.ts";

/**
 * The texts of a canonical embeddings request.
 * @param label the kind's name in sentences
 * @throws AppError `invalid_request`, for lists of tokens too: only OpenAI's own models know its tokens
 */
export function embeddingTexts(raw: Fields, label: string): string[] {
  const { input } = raw;
  const texts = typeof input === "string" ? [input] : listOf(input);
  return texts.map((text) => {
    if (typeof text === "string") return text;
    throw unsupported(label, "input", "must be a text or a list of texts");
  });
}

/**
 * The canonical text of embeddings.
 * @param promptTokens null where the provider did not count
 * @throws AppError `invalid_request` for an unknown `encoding_format`; Error where a vector is none
 */
export function embeddingsText(
  { raw, model }: KindRequest,
  vectors: readonly unknown[],
  promptTokens: number | null,
): string {
  const format = raw["encoding_format"] ?? "float";
  if (format !== "float" && format !== "base64")
    throw malformed("encoding_format", "must be float or base64");
  const data = vectors.map((vector, index) => {
    if (!Array.isArray(vector) || !vector.every((value) => typeof value === "number"))
      throw new Error("This is no vector");
    return { object: "embedding", index, embedding: format === "float" ? vector : base64(vector) };
  });
  const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
  return JSON.stringify({
    object: "list",
    data,
    model,
    ...(promptTokens === null ? {} : { usage }),
  });
}

/** Floats of 32 bits, the lowest byte first. */
function base64(vector: number[]): string {
  const bytes = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [index, value] of vector.entries()) bytes.setFloat32(index * 4, value, true);
  let text = "";
  for (let index = 0; index < bytes.byteLength; index++)
    text += String.fromCharCode(bytes.getUint8(index));
  return btoa(text);
}
