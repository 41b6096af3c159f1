import { NATIVE, type NativeRequest } from "../../../providers/kinds/anthropic/native.ts";
import { type ChatRequest, invalid, parseJsonObject, readModel } from "../../chat-request.ts";
import {
  type Fields,
  fieldsAt,
  isAbsent,
  listAt,
  optionalFlag,
  optionalNumber,
  optionalText,
  textAt,
  tokenLimitAt,
  unsupported,
  withoutAbsent,
} from "../fields.ts";
import { THREAD } from "./error-body.ts";
import { readMessages, systemMessages } from "./read-messages.ts";
import { readToolChoice, readTools } from "./read-tools.ts";

/** Fields whose meaning would be lost, with what to do instead. The rest of what is not known changes nothing that counts. */
const REFUSED: Record<string, string> = {
  container: "containers are not available through this gateway; leave it out.",
  mcp_servers: "MCP servers are not called by this gateway; send their tools as tools.",
  [THREAD]: "conversations are not held here; send the whole of it as messages.",
  inference_geo: "this gateway cannot promise where a model runs; leave it out.",
};

/** Fields that only Anthropic's models know; a target of theirs gets them as they came. */
const NATIVE_FIELDS = ["cache_control", "context_management", "service_tier", "thinking", "top_k"];

/**
 * Reads the body of Anthropic's `POST /v1/messages` as a chat completion request. Knobs that only tune (top_k,
 * cache_control, service_tier …) go to Anthropic's own models only, as there is no place for them elsewhere; what would
 * change the answer's meaning is refused.
 * @param betas the header `anthropic-beta`, which goes to Anthropic's own models too
 * @throws AppError `invalid_json`, `invalid_request`
 */
export function readMessagesRequest(text: string, betas: string | null = null): ChatRequest {
  const body = parseJsonObject(text);
  const chat = readConversation(body);
  const { max_tokens: maxTokens } = body;
  if (isAbsent(maxTokens)) throw invalid("max_tokens", "is required");
  const stream = optionalFlag(body["stream"], "stream") ?? false;
  const user = endUser(body["metadata"]);
  const raw = withoutAbsent({
    ...chat.raw,
    max_tokens: tokenLimitAt(maxTokens, "max_tokens"),
    temperature: optionalNumber(body["temperature"], "temperature"),
    top_p: optionalNumber(body["top_p"], "top_p"),
    stop: stopSequences(body["stop_sequences"]),
    user,
    ...readEffort(body),
    ...readFormat(body["output_config"]),
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
  });
  return {
    ...chat,
    stream,
    user,
    raw: Object.assign(raw, { [NATIVE]: nativeFields(body, betas) }),
  };
}

function nativeFields(body: Fields, betas: string | null): NativeRequest {
  const kept = NATIVE_FIELDS.filter((name) => !isAbsent(body[name]));
  const { output_config: config } = body;
  return {
    body: Object.fromEntries(kept.map((name) => [name, body[name]])),
    effort: isAbsent(config)
      ? null
      : optionalText(fieldsAt(config, "output_config")["effort"], "output_config.effort"),
    betas,
  };
}

/**
 * Reads what both `POST /v1/messages` and `POST /v1/messages/count_tokens` have: the model, the messages and the tools.
 * @throws AppError `invalid_request`
 */
export function readConversation(body: Fields): ChatRequest {
  for (const [name, sentence] of Object.entries(REFUSED))
    if (!isAbsent(body[name])) throw unsupported(name, sentence);
  const model = readModel(body);
  const messages = [...systemMessages(body["system"]), ...readMessages(body["messages"])];
  const tools = readTools(body["tools"]);
  const choice = tools ? readToolChoice(body["tool_choice"]) : {};
  const raw = { model, messages, ...(tools ? { tools, ...choice } : {}) };
  return { model, messages, stream: false, user: null, raw };
}

function endUser(metadata: unknown): string | null {
  if (isAbsent(metadata)) return null;
  return optionalText(fieldsAt(metadata, "metadata")["user_id"], "metadata.user_id");
}

function stopSequences(value: unknown): string[] | null {
  if (isAbsent(value)) return null;
  const sequences = listAt(value, "stop_sequences").map((sequence, index) =>
    textAt(sequence, `stop_sequences.${index}`),
  );
  return sequences.length > 0 ? sequences : null;
}

/** Budgets of thinking, in tokens, below which an effort is called low or medium. */
const LOW_BUDGET = 4_096;
const MEDIUM_BUDGET = 16_384;

/** An effort that was asked for counts, and so does a budget; `adaptive` leaves it to the model. */
function readEffort(body: Fields): Fields {
  const config = isAbsent(body["output_config"])
    ? {}
    : fieldsAt(body["output_config"], "output_config");
  const effort = optionalText(config["effort"], "output_config.effort");
  const thinking = isAbsent(body["thinking"]) ? {} : fieldsAt(body["thinking"], "thinking");
  if (thinking["type"] === "disabled") return {};
  if (effort !== null) return { reasoning_effort: effort };
  if (thinking["type"] !== "enabled") return {};
  const budget = tokenLimitAt(thinking["budget_tokens"], "thinking.budget_tokens");
  const named = budget < LOW_BUDGET ? "low" : budget < MEDIUM_BUDGET ? "medium" : "high";
  return { reasoning_effort: named };
}

function readFormat(config: unknown): Fields {
  const format = isAbsent(config) ? null : fieldsAt(config, "output_config")["format"];
  if (isAbsent(format)) return {};
  const { type, schema } = fieldsAt(format, "output_config.format");
  if (type !== "json_schema") throw invalid("output_config.format.type", "must be json_schema");
  const named = {
    name: "output",
    schema: fieldsAt(schema, "output_config.format.schema"),
    strict: true,
  };
  return { response_format: { type, json_schema: named } };
}
