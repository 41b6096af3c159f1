import { type Fields, fields, list, only, Refused, text } from "../expectations.ts";
import { checkContents } from "./content-rules.ts";

/** As Google's JSON parser says it of a field that its message does not have. */
const unknown = (path: string) => (name: string) =>
  `Invalid JSON payload received. Unknown name "${name}"${path === "" ? "" : ` at '${path}'`}: Cannot find field.`;

const KNOWN = [
  "cachedContent",
  "contents",
  "generationConfig",
  "safetySettings",
  "systemInstruction",
  "toolConfig",
  "tools",
];
const CONFIG = [
  "candidateCount",
  "frequencyPenalty",
  "maxOutputTokens",
  "presencePenalty",
  "responseJsonSchema",
  "responseMimeType",
  "seed",
  "stopSequences",
  "temperature",
  "thinkingConfig",
  "topK",
  "topP",
];
const STOPS = 5;
const LEVELS = ["minimal", "low", "medium", "high", undefined];

/** Whether the model's generation is before 3: it counts thoughts in tokens, and insists on no signatures. */
export const isBeforeThree = (model: string) => /^gemini-[12]/.test(model);

/**
 * Refuses what the Gemini API refuses, https://ai.google.dev/api/generate-content
 * @param issued the signatures that this server made
 * @throws Refused
 */
export function checkRequest(body: Fields, model: string, issued: ReadonlySet<string>): void {
  only(body, KNOWN, unknown(""));
  checkConfig(body, model);
  checkTools(body);
  if (body["systemInstruction"] !== undefined) {
    const system = fields(body["systemInstruction"], "systemInstruction must be an object");
    only(system, ["role", "parts"], unknown("system_instruction"));
    for (const part of list(
      system["parts"],
      "GenerateContentRequest.system_instruction.parts: must not be empty",
    ))
      text(fields(part, "part")["text"], "System instructions can only be text.");
  }
  checkContents(body["contents"], { before3: isBeforeThree(model), issued });
}

function checkConfig(body: Fields, model: string): void {
  const config = fields(body["generationConfig"] ?? {}, "generationConfig must be an object");
  only(config, CONFIG, unknown("generation_config"));
  const { candidateCount: count, maxOutputTokens: limit, temperature } = config;
  if (count !== undefined && !(Number(count) >= 1 && Number(count) <= 8))
    throw new Refused(
      "* GenerateContentRequest.generation_config.candidate_count: must be in the range [1, 8].",
    );
  if (limit !== undefined && !(Number(limit) >= 1))
    throw new Refused(
      "* GenerateContentRequest.generation_config.max_output_tokens: max_output_tokens must be positive.",
    );
  if (temperature !== undefined && !(Number(temperature) >= 0 && Number(temperature) <= 2))
    throw new Refused(
      "* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].",
    );
  const stops = list(config["stopSequences"] ?? [], "stopSequences must be a list");
  if (stops.length > STOPS)
    throw new Refused(
      "* GenerateContentRequest.generation_config.stop_sequences: at most 5 stop sequences are allowed.",
    );
  if (stops.some((stop) => stop === ""))
    throw new Refused(
      "* GenerateContentRequest.generation_config.stop_sequences: must not be empty.",
    );
  const json = config["responseMimeType"] === "application/json";
  if (config["responseJsonSchema"] !== undefined && !json)
    throw new Refused(
      "* GenerateContentRequest.generation_config.response_json_schema: only allowed when response_mime_type is application/json.",
    );
  if (json && body["tools"] !== undefined && isBeforeThree(model))
    throw new Refused(
      "Function calling with a response mime type: 'application/json' is unsupported",
    );
  checkThinking(config["thinkingConfig"], model);
}

function checkThinking(value: unknown, model: string): void {
  if (value === undefined) return;
  const thinking = fields(value, "thinkingConfig must be an object");
  only(
    thinking,
    ["includeThoughts", "thinkingBudget", "thinkingLevel"],
    unknown("generation_config.thinking_config"),
  );
  const { thinkingBudget: budget, thinkingLevel: level } = thinking;
  if (level !== undefined && isBeforeThree(model))
    throw new Refused("Thinking level is not supported for this model.");
  if (!LEVELS.includes(level as string | undefined))
    // compared only
    throw new Refused(
      `Invalid value at 'generation_config.thinking_config.thinking_level': ${String(level)}`,
    );
  if (budget !== undefined && level !== undefined)
    throw new Refused("You can only set only one of thinking budget and thinking level.");
}

function checkTools(body: Fields): void {
  const declared = list(body["tools"] ?? [], "tools must be a list").flatMap((value) => {
    const tool = fields(value, "tool");
    only(tool, ["functionDeclarations"], unknown("tools[0]"));
    return list(tool["functionDeclarations"], "functionDeclarations must be a list");
  });
  const names = declared.map((value) => {
    const one = fields(value, "declaration");
    only(
      one,
      ["name", "description", "parameters", "parametersJsonSchema"],
      unknown("tools[0].function_declarations[0]"),
    );
    if (!/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/.test(String(one["name"])))
      throw new Refused(
        "* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid function name. Must start with a letter or an underscore.",
      );
    return one["name"];
  });
  if (body["toolConfig"] === undefined) return;
  const config = fields(
    fields(body["toolConfig"], "toolConfig")["functionCallingConfig"],
    "functionCallingConfig",
  );
  only(config, ["mode", "allowedFunctionNames"], unknown("tool_config.function_calling_config"));
  const allowed = list(config["allowedFunctionNames"] ?? [], "allowedFunctionNames");
  if (!["AUTO", "ANY", "NONE", "VALIDATED"].includes(String(config["mode"])))
    throw new Refused("Invalid value at 'tool_config.function_calling_config.mode'");
  if (allowed.length > 0 && config["mode"] !== "ANY")
    throw new Refused(
      "* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: should only be set when mode is ANY.",
    );
  if (allowed.some((name) => !names.includes(name)))
    throw new Refused(
      "* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: names a function that is not declared.",
    );
}
