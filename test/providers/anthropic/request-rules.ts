import { type Fields, fields, list, only, Refused, text } from "../expectations.ts";
import { generationOf } from "./generations.ts";
import { checkMessages } from "./message-rules.ts";

const extra = (path: string) => (name: string) => `${path}${name}: Extra inputs are not permitted`;

const KNOWN = [
  "cache_control",
  "max_tokens",
  "messages",
  "metadata",
  "model",
  "output_config",
  "service_tier",
  "stop_sequences",
  "stream",
  "system",
  "temperature",
  "thinking",
  "tool_choice",
  "tools",
  "top_k",
  "top_p",
];
const CACHE_BREAKPOINTS = 4;

/**
 * Refuses what the Messages API refuses, https://platform.claude.com/docs/en/api/messages
 * @param issued the signatures of thoughts that this server made
 * @throws Refused
 */
export function checkRequest(body: Fields, issued: ReadonlySet<string>): void {
  only(body, KNOWN, extra(""));
  const model = text(body["model"], "model: Field required");
  const maxTokens = body["max_tokens"];
  if (maxTokens === undefined) throw new Refused("max_tokens: Field required");
  if (!Number.isInteger(maxTokens) || Number(maxTokens) < 1)
    throw new Refused("max_tokens: Input should be greater than or equal to 1");
  if (Number(maxTokens) > 128_000)
    throw new Refused(
      `max_tokens: ${String(maxTokens)} > 128000, which is the maximum allowed number of output tokens for ${model}`,
    );
  checkSystem(body["system"]);
  checkTools(body);
  checkThinking(body, model);
  checkSampling(body, model);
  checkStops(body["stop_sequences"]);
  checkOutput(body["output_config"]);
  if (body["metadata"] !== undefined)
    only(
      fields(body["metadata"], "metadata: Input should be an object"),
      ["user_id"],
      extra("metadata."),
    );
  checkMessages(body, issued);
  const marks = JSON.stringify(body).split('"cache_control"').length - 1;
  if (marks > CACHE_BREAKPOINTS)
    throw new Refused(
      `A maximum of ${CACHE_BREAKPOINTS} blocks with cache_control may be provided. Found ${marks}.`,
    );
}

function checkSystem(system: unknown): void {
  if (system === undefined || typeof system === "string") return;
  for (const [index, value] of list(system, "system: Input should be a valid list").entries()) {
    const block = fields(value, `system.${index}: Input should be an object`);
    only(block, ["type", "text", "cache_control"], extra(`system.${index}.`));
    if (block["type"] !== "text" || !block["text"])
      throw new Refused("system: text content blocks must be non-empty");
  }
}

function checkTools(body: Fields): void {
  const tools = list(body["tools"] ?? [], "tools: Input should be a valid list");
  for (const [index, value] of tools.entries()) {
    const tool = fields(value, `tools.${index}: Input should be an object`);
    const known = ["type", "name", "description", "input_schema", "strict", "cache_control"];
    only(tool, known, extra(`tools.${index}.custom.`));
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(String(tool["name"])))
      throw new Refused(
        `tools.${index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`,
      );
    const schema = fields(
      tool["input_schema"],
      `tools.${index}.custom.input_schema: Field required`,
    );
    if (schema["type"] !== "object")
      throw new Refused(`tools.${index}.custom.input_schema.type: Input should be 'object'`);
  }
  if (body["tool_choice"] === undefined) return;
  if (tools.length === 0)
    throw new Refused("tool_choice: may only be specified while providing tools");
  const choice = fields(body["tool_choice"], "tool_choice: Input should be an object");
  const known: Record<string, string[]> = {
    auto: ["type", "disable_parallel_tool_use"],
    any: ["type", "disable_parallel_tool_use"],
    tool: ["type", "name", "disable_parallel_tool_use"],
    none: ["type"],
  };
  const taken = known[String(choice["type"])];
  if (!taken) throw new Refused("tool_choice: Input tag does not match any of the expected tags");
  only(choice, taken, extra(`tool_choice.${String(choice["type"])}.`));
}

function checkThinking(body: Fields, model: string): void {
  const generation = generationOf(model);
  const { tool_choice: choice, thinking: asked } = body;
  const forced = ["any", "tool"].includes(String(fields(choice ?? {}, "tool_choice")["type"]));
  if (forced && !generation.forcedTools)
    throw new Refused("tool_choice: forced tool use is not supported for this model.");
  if (asked === undefined) return;
  const thinking = fields(asked, "thinking: Input should be an object");
  const type = String(thinking["type"]);
  if (!generation.thinking.includes(type)) {
    throw new Refused(
      `"thinking.type.${type}" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.`,
    );
  }
  if (type === "disabled") return;
  if (forced) throw new Refused("Thinking may not be enabled when tool_choice forces tool use.");
  if (type !== "enabled") return;
  const budget = Number(thinking["budget_tokens"]);
  if (!(budget >= 1_024))
    throw new Refused(
      "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    );
  if (budget >= Number(body["max_tokens"]))
    throw new Refused("`max_tokens` must be greater than `thinking.budget_tokens`.");
}

function checkSampling(body: Fields, model: string): void {
  const { temperature, top_p: topP, top_k: topK } = body;
  const thinking = fields(body["thinking"] ?? {}, "thinking: Input should be an object")["type"];
  if (!generationOf(model).sampling) {
    for (const name of ["temperature", "top_p", "top_k"])
      if (body[name] !== undefined) throw new Refused(`\`${name}\` is deprecated for this model.`);
  }
  if (temperature !== undefined && !(Number(temperature) >= 0 && Number(temperature) <= 1))
    throw new Refused("temperature: range: 0..1");
  if (temperature !== undefined && topP !== undefined && /-4-[1-9](?!\d)/.test(model))
    throw new Refused(
      "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
    );
  if (thinking !== "enabled" && thinking !== "adaptive") return;
  if (temperature !== undefined && temperature !== 1)
    throw new Refused("`temperature` may only be set to 1 when thinking is enabled.");
  if (topK !== undefined) throw new Refused("`top_k` must be unset when thinking is enabled.");
  if (topP !== undefined && Number(topP) < 0.95)
    throw new Refused(
      "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
    );
}

function checkStops(stops: unknown): void {
  for (const stop of list(stops ?? [], "stop_sequences: Input should be a valid list"))
    if (text(stop, "stop_sequences: Input should be a valid string").trim() === "")
      throw new Refused("stop_sequences: each stop sequence must contain non-whitespace");
}

function checkOutput(value: unknown): void {
  if (value === undefined) return;
  const config = fields(value, "output_config: Input should be an object");
  only(config, ["effort", "format"], extra("output_config."));
  const efforts = ["low", "medium", "high", "xhigh", "max", undefined];
  if (!efforts.includes(config["effort"] as string | undefined))
    // compared only
    throw new Refused(
      "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
    );
  if (config["format"] === undefined) return;
  const format = fields(config["format"], "output_config.format: Input should be an object");
  only(format, ["type", "schema"], extra("output_config.format."));
  if (format["type"] !== "json_schema")
    throw new Refused("output_config.format.type: Input should be 'json_schema'");
  checkSchema(format["schema"]);
}

/** https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations */
function checkSchema(value: unknown): void {
  if (Array.isArray(value)) return value.forEach(checkSchema);
  if (typeof value !== "object" || value === null) return;
  const schema = value as Fields; // an object, as checked
  if (schema["type"] === "object" && schema["additionalProperties"] !== false) {
    throw new Refused(
      "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
    );
  }
  Object.values(schema).forEach(checkSchema);
}
