import { AppError } from "../kernel/errors.ts";

/** A chat completion request as far as the gateway reads it; everything else passes through. */
export interface ChatRequest {
  model: string;
  messages: Record<string, unknown>[];
  stream: boolean;
  user: string | null;
  /** The request as it came. */
  raw: Record<string, unknown>;
}

const MODEL_LIMIT = 200;
const ROLES = new Set(["system", "developer", "user", "assistant", "tool", "function"]);

/**
 * Checks what the gateway relies on. It is written by hand, since it runs on the hot path, and leaves to the provider
 * whatever only the provider can know.
 * @throws AppError `invalid_json`, `invalid_request`
 */
export function parseChatRequest(text: string): ChatRequest {
  const raw = parseJsonObject(text);
  const model = readModel(raw);
  const { messages, stream, user } = raw;
  if (!Array.isArray(messages) || messages.length === 0)
    throw invalid("messages", "must be a list of at least one message");
  messages.forEach(checkMessage);
  if (stream !== undefined && stream !== null && typeof stream !== "boolean")
    throw invalid("stream", "must be true or false");
  for (const name of ["max_tokens", "max_completion_tokens", "n"]) {
    const value = raw[name];
    const valid =
      value === undefined || value === null || (Number.isInteger(value) && Number(value) >= 1);
    if (!valid) throw invalid(name, "must be a whole number of at least 1");
  }
  return {
    model,
    messages,
    stream: stream === true,
    user: typeof user === "string" ? user : null,
    raw,
  };
}

/** @throws AppError `invalid_json` where the text is no JSON object */
export function parseJsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError("invalid_json", { message: "The body is not valid JSON.", cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>; // an object, as checked
  throw new AppError("invalid_request", { message: "The body must be a JSON object." });
}

/** @throws AppError `invalid_request` */
export function readModel(raw: Record<string, unknown>): string {
  const { model } = raw;
  if (typeof model === "string" && model !== "" && model.length <= MODEL_LIMIT) return model;
  throw invalid("model", "must name a model; GET /v1/models lists them");
}

function checkMessage(message: unknown, index: number): void {
  if (typeof message !== "object" || message === null)
    throw invalid(`messages[${index}]`, "must be an object");
  const { role, content } = message as Record<string, unknown>; // an object, as checked
  if (typeof role !== "string" || !ROLES.has(role)) {
    throw invalid(`messages[${index}].role`, `must be one of ${[...ROLES].join(", ")}`);
  }
  const valid =
    content === undefined ||
    content === null ||
    typeof content === "string" ||
    Array.isArray(content);
  if (!valid) throw invalid(`messages[${index}].content`, "must be a text or a list of parts");
}

export function invalid(param: string, sentence: string): AppError {
  return new AppError("invalid_request", { message: `${param} ${sentence}.`, param });
}
