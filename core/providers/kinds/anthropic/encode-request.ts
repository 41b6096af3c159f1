import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import { type KindRequest, malformed, unsupported } from "../kind.ts";
import { type ParameterRules, REFUSED_EVERYWHERE, unknownParameters } from "../parameters.ts";
import { readToolUse, type ToolUse } from "../tools.ts";
import { encodeMessages } from "./encode-messages.ts";
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
  const thinking = encodeThinking(raw["reasoning_effort"], targetModel, maxTokens, messages);
  const outputConfig = {
    ...objectOf(unknown["output_config"]),
    ...(thinking.effort === null ? {} : { effort: thinking.effort }),
    ...(typeof format === "object" ? { format } : {}),
  };
  const user = raw["safety_identifier"] ?? raw["user"];
  return {
    model: targetModel,
    max_tokens: maxTokens,
    ...(system.length > 0 ? { system } : {}),
    messages,
    ...encodeTools(readToolUse(raw, LABEL)),
    ...encodeSampling(raw),
    ...(thinking.thinking === null ? {} : { thinking: thinking.thinking }),
    ...(typeof user === "string" ? { metadata: { user_id: user.slice(0, USER_ID_LIMIT) } } : {}),
    ...unknown,
    ...(Object.keys(outputConfig).length > 0 ? { output_config: outputConfig } : {}),
    ...(stream ? { stream } : {}),
  };
}

function readMaxTokens({ raw, maxOutputTokens }: KindRequest): number {
  const asked = raw["max_completion_tokens"] ?? raw["max_tokens"];
  return typeof asked === "number" ? asked : (maxOutputTokens ?? DEFAULT_MAX_TOKENS);
}

function encodeSampling(raw: Fields): Fields {
  const { temperature, top_p: topP, stop } = raw;
  const stops = typeof stop === "string" ? [stop] : listOf(stop);
  return {
    // OpenAI's goes up to 2, Anthropic's to 1; its own compatible API cuts it as well.
    ...(typeof temperature === "number" ? { temperature: Math.min(1, temperature) } : {}),
    ...(typeof topP === "number" ? { top_p: topP } : {}),
    ...(stops.length > 0 ? { stop_sequences: stops } : {}),
  };
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
  return { type: "json_schema", schema };
}

function encodeTools(use: ToolUse | null): Fields {
  if (use === null) return {};
  const tools = use.tools.map(({ name, description, parameters, strict, raw }) => ({
    name,
    ...(description === null ? {} : { description }),
    input_schema: { type: "object", ...parameters },
    ...(strict ? { strict } : {}),
    ...(raw["cache_control"] ? { cache_control: raw["cache_control"] } : {}),
  }));
  return { tools, ...encodeChoice(use) };
}

function encodeChoice({ choice, parallel }: ToolUse): Fields {
  if (choice === "none") return { tool_choice: { type: "none" } };
  if (choice === "auto" && parallel) return {};
  const one = parallel ? {} : { disable_parallel_tool_use: true };
  if (choice === "auto") return { tool_choice: { type: "auto", ...one } };
  if (choice === "required") return { tool_choice: { type: "any", ...one } };
  return { tool_choice: { type: "tool", name: choice.name, ...one } };
}
