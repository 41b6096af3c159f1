import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import { type KindRequest, malformed, unsupported } from "../kind.ts";
import {
  outputLimit,
  type ParameterRules,
  REFUSED_EVERYWHERE,
  unknownParameters,
} from "../parameters.ts";
import { readToolUse, type ToolUse } from "../tools.ts";
import { abilitiesOf } from "./abilities.ts";
import { encodeMessages } from "./encode-messages.ts";
import { nativeOf, nativeRequest } from "./native.ts";
import { encodeThinking } from "./encode-thinking.ts";

const LABEL = "Anthropic";
/** The longest answer where neither the request nor the catalog names a limit: what every one of its models can. */
const DEFAULT_MAX_TOKENS = 4_096;
const USER_ID_LIMIT = 256;

const JSON_INSTRUCTION =
  "Answer with one JSON object and nothing else: no text around it, no code fence.";

const zero = (value: unknown) => value === 0;
const RULES: ParameterRules = {
  translated: [
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "model",
    "n",
    "parallel_tool_calls",
    "reasoning_effort",
    "response_format",
    "seed", // a best effort where it is understood at all, so that leaving it out breaks no promise
    "stop",
    "stream",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
  ],
  refused: {
    ...REFUSED_EVERYWHERE,
    frequency_penalty: { harmless: zero, sentence: "has no counterpart" },
    n: { harmless: (value) => value === 1, sentence: "must be 1" },
    presence_penalty: { harmless: zero, sentence: "has no counterpart" },
  },
};

/**
 * A canonical request as one of the Messages API.
 * @throws AppError `invalid_request` that names what cannot be translated
 */
export function encodeRequest(request: KindRequest): Fields {
  const { raw, targetModel, stream } = request;
  const unknown = unknownParameters(raw, LABEL, RULES);
  const { system, messages } = encodeMessages(listOf(raw["messages"]));
  const format = readFormat(raw["response_format"]);
  if (format === "object") system.push({ type: "text", text: JSON_INSTRUCTION });
  const maxTokens = readMaxTokens(request);
  const use = readToolUse(raw, LABEL);
  const native = nativeRequest(raw);
  const effort = raw["reasoning_effort"];
  const forced = use !== null && use.choice !== "auto" && use.choice !== "none";
  // A client of Anthropic's own shape says itself how the model is to think.
  const thinking = native
    ? { thinking: null, effort: native.effort }
    : encodeThinking({ effort, model: targetModel, maxTokens, messages, forced });
  const own = { ...unknown, ...native?.body };
  const asked = objectOf(own["thinking"] ?? thinking.thinking);
  const thinks = asked["type"] === "enabled" || asked["type"] === "adaptive";
  const outputConfig = {
    ...objectOf(unknown["output_config"]),
    ...(thinking.effort === null ? {} : { effort: thinking.effort }),
    ...(format !== null && format !== "object" ? { format } : {}),
  };
  const user = raw["safety_identifier"] ?? raw["user"];
  return {
    model: targetModel,
    max_tokens: maxTokens,
    ...(system.length > 0 ? { system } : {}),
    messages,
    ...encodeTools(use ?? toolsOf(messages)),
    ...encodeSampling(raw, targetModel, thinks),
    ...encodeStops(raw["stop"]),
    ...(thinking.thinking === null ? {} : { thinking: thinking.thinking }),
    ...(typeof user === "string" ? { metadata: { user_id: user.slice(0, USER_ID_LIMIT) } } : {}),
    ...own,
    ...(Object.keys(outputConfig).length > 0 ? { output_config: outputConfig } : {}),
    ...(stream ? { stream } : {}),
  };
}

/** What only tunes an answer, and is not in the request of this model; what changes more is refused instead. */
export function leftOutOf(raw: Fields, encoded: Fields): string[] {
  const thinks = "thinking" in encoded || "output_config" in encoded;
  const kept: Record<string, boolean> = {
    reasoning_effort: thinks,
    seed: false,
    temperature: "temperature" in encoded,
    top_p: "top_p" in encoded,
  };
  const given = (name: string) => raw[name] !== undefined && raw[name] !== null;
  return Object.keys(kept).filter((name) => kept[name] === false && given(name));
}

function readMaxTokens({ raw, maxOutputTokens }: KindRequest): number {
  return outputLimit(raw) ?? maxOutputTokens ?? DEFAULT_MAX_TOKENS;
}

/** What the model does not take is left out: it tunes the answer, and changes nothing of what is asked for. */
function encodeSampling(raw: Fields, model: string, thinks: boolean): Fields {
  const { temperature, top_p: topP } = raw;
  const { sampling } = abilitiesOf(model);
  if (thinks || sampling === "none") return {};
  const heat = typeof temperature === "number";
  return {
    // OpenAI's goes up to 2, Anthropic's to 1; its own compatible API cuts it as well.
    ...(heat ? { temperature: Math.min(1, temperature) } : {}),
    ...(typeof topP === "number" && !(heat && sampling === "one") ? { top_p: topP } : {}),
  };
}

/** @throws AppError `invalid_request` for white space alone, at which no model of Anthropic's stops */
function encodeStops(stop: unknown): Fields {
  const stops = typeof stop === "string" ? [stop] : listOf(stop);
  if (stops.some((one) => typeof one !== "string" || one.trim() === ""))
    throw unsupported(LABEL, "stop", "must be texts with more than white space");
  return stops.length > 0 ? { stop_sequences: stops } : {};
}

/** Nothing, any JSON object, or what a schema says. */
function readFormat(value: unknown): null | "object" | Fields {
  if (value === undefined || value === null) return null;
  const { type, json_schema: named } = objectOf(value);
  if (type === "text") return null;
  if (type === "json_object") return "object";
  if (type !== "json_schema")
    throw unsupported(LABEL, "response_format.type", "must be text, json_object or json_schema");
  const { schema } = objectOf(named);
  if (typeof schema !== "object" || schema === null)
    throw malformed("response_format.json_schema.schema", "must be a JSON schema");
  return { type: "json_schema", schema: closed(schema) };
}

/** Every object in the schema without other properties than the named ones: no others are taken, nor come. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, field]) => [name, closed(field)]);
  const schema: Fields = Object.fromEntries(fields);
  return schema["type"] === "object" ? { ...schema, additionalProperties: false } : schema;
}

/** Tools that were called before must be declared, though the request does not offer them any more. */
function toolsOf(messages: Fields[]): ToolUse | null {
  const names = new Set<string>();
  for (const { content } of messages)
    for (const { type, name } of listOf(content).map(objectOf))
      if (type === "tool_use") names.add(String(name));
  if (names.size === 0) return null;
  const rest = { description: null, parameters: null, strict: false, raw: {} };
  return { tools: [...names].map((name) => ({ name, ...rest })), choice: "none", parallel: true };
}

function encodeTools(use: ToolUse | null): Fields {
  if (use === null) return {};
  const tools = use.tools.map(({ name, description, parameters, strict, raw }) => ({
    name,
    ...(description === null ? {} : { description }),
    input_schema: { type: "object", ...parameters },
    ...(strict ? { strict } : {}),
    ...markOf(raw),
  }));
  return { tools, ...encodeChoice(use) };
}

/** Where the mark of the cache stands in either shape. */
function markOf(tool: Fields): Fields {
  const mark = tool["cache_control"] ?? nativeOf(tool).cache_control;
  return mark ? { cache_control: mark } : {};
}

function encodeChoice({ choice, parallel }: ToolUse): Fields {
  if (choice === "none") return { tool_choice: { type: "none" } };
  if (choice === "auto" && parallel) return {};
  const one = parallel ? {} : { disable_parallel_tool_use: true };
  if (choice === "auto") return { tool_choice: { type: "auto", ...one } };
  if (choice === "required") return { tool_choice: { type: "any", ...one } };
  return { tool_choice: { type: "tool", name: choice.name, ...one } };
}
