import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import { type KindRequest, malformed, unsupported } from "../kind.ts";
import {
  outputLimit,
  type ParameterRules,
  REFUSED_EVERYWHERE,
  unknownParameters,
} from "../parameters.ts";
import { readToolUse, type ToolUse } from "../tools.ts";
import { encodeContents } from "./encode-contents.ts";
import { encodeThinking } from "./encode-thinking.ts";

const LABEL = "Google's Gemini API";

/** Parameters that have the same meaning under another name in `generationConfig`. */
const RENAMED: Readonly<Record<string, string>> = {
  frequency_penalty: "frequencyPenalty",
  n: "candidateCount",
  presence_penalty: "presencePenalty",
  seed: "seed",
  temperature: "temperature",
  top_k: "topK",
  top_p: "topP",
};

const RULES: ParameterRules = {
  translated: [
    ...Object.keys(RENAMED),
    "generationConfig",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "model",
    "parallel_tool_calls", // kept by leaving out all calls but the first, see ContentTranslator
    "reasoning_effort",
    "response_format",
    "stop",
    "stream",
    "tool_choice",
    "tools",
  ],
  refused: REFUSED_EVERYWHERE,
};

/**
 * A canonical request as one of generateContent.
 * @throws AppError `invalid_request` that names what cannot be translated
 */
export function encodeRequest(request: KindRequest): Fields {
  const { raw, targetModel } = request;
  const unknown = unknownParameters(raw, LABEL, RULES);
  const { system, contents } = encodeContents(listOf(raw["messages"]), targetModel);
  const config = encodeConfig(request);
  return {
    contents,
    ...(system.length > 0 ? { systemInstruction: { parts: system } } : {}),
    ...encodeTools(readToolUse(raw, LABEL)),
    ...unknown,
    ...(Object.keys(config).length > 0 ? { generationConfig: config } : {}),
  };
}

function encodeConfig({ raw, targetModel, maxOutputTokens }: KindRequest): Fields {
  const config: Fields = {};
  for (const [name, renamed] of Object.entries(RENAMED)) {
    const value = raw[name];
    if (typeof value === "number" && !(name === "n" && value === 1)) config[renamed] = value;
  }
  const limit = outputLimit(raw) ?? maxOutputTokens;
  if (typeof limit === "number") config["maxOutputTokens"] = limit;
  const { stop } = raw;
  const stops = typeof stop === "string" ? [stop] : listOf(stop);
  if (stops.length > 0) config["stopSequences"] = stops;
  const thinking = encodeThinking(raw["reasoning_effort"], targetModel);
  if (thinking) config["thinkingConfig"] = thinking;
  return {
    ...config,
    ...encodeFormat(raw["response_format"]),
    ...objectOf(raw["generationConfig"]),
  };
}

function encodeFormat(value: unknown): Fields {
  if (value === undefined || value === null) return {};
  const { type, json_schema: named } = objectOf(value);
  if (type === "text") return {};
  const responseMimeType = "application/json";
  if (type === "json_object") return { responseMimeType };
  if (type !== "json_schema")
    throw unsupported(LABEL, "response_format.type", "must be text, json_object or json_schema");
  const { schema } = objectOf(named);
  if (typeof schema !== "object" || schema === null)
    throw malformed("response_format.json_schema.schema", "must be a JSON schema");
  return { responseMimeType, responseJsonSchema: schema };
}

function encodeTools(use: ToolUse | null): Fields {
  if (use === null) return {};
  const functionDeclarations = use.tools.map(({ name, description, parameters }) => ({
    name,
    ...(description === null ? {} : { description }),
    ...(parameters === null ? {} : { parametersJsonSchema: parameters }),
  }));
  const functionCallingConfig = encodeChoice(use.choice);
  return {
    tools: [{ functionDeclarations }],
    ...(functionCallingConfig ? { toolConfig: { functionCallingConfig } } : {}),
  };
}

function encodeChoice(choice: ToolUse["choice"]): Fields | null {
  if (choice === "auto") return null;
  if (choice === "none") return { mode: "NONE" };
  if (choice === "required") return { mode: "ANY" };
  return { mode: "ANY", allowedFunctionNames: [choice.name] };
}
