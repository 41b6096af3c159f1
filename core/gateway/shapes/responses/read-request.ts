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
import { type EarlierItems, readInput } from "./read-items.ts";

const REFUSED: Record<string, string> = {
  conversation:
    "conversations are not kept here; send previous_response_id, or the whole conversation as input.",
  prompt: "prompt templates are not kept here; send instructions and input.",
  moderation: "answers are not moderated by request here; use the team's guard rails.",
  context_management:
    "conversations are not compacted by themselves here; use POST /v1/responses/compact.",
};

/** What answers cannot be made to include: their shape has no place for it, or models have no such tool. */
const INCLUDED: ReadonlySet<unknown> = new Set([
  "reasoning.encrypted_content", // of use with OpenAI's own models only, whose thoughts are never sent back here
  "message.input_image.image_url", // always there
]);

/**
 * Reads what a body says of keeping, apart from the rest: what was kept is needed to read the rest.
 * @throws AppError `invalid_json`, `invalid_request`
 */
export function readResponsesBody(text: string): {
  body: Fields;
  previousId: string | null;
  store: boolean;
} {
  const body = parseJsonObject(text);
  for (const [name, sentence] of Object.entries(REFUSED))
    if (!isAbsent(body[name])) throw unsupported(name, sentence);
  if (body["background"] === true)
    throw unsupported("background", "answers are given at once here; leave it out.");
  refuseLogProbabilities(body);
  const previousId = optionalText(body["previous_response_id"], "previous_response_id");
  return { body, previousId, store: optionalFlag(body["store"], "store") ?? true };
}

/** @throws AppError `invalid_request` */
function refuseLogProbabilities(body: Fields): void {
  const top = optionalNumber(body["top_logprobs"], "top_logprobs");
  if (top !== null && top !== 0)
    throw unsupported(
      "top_logprobs",
      "log probabilities are not passed on here; leave it out, or use POST /v1/chat/completions with logprobs.",
    );
  const include = isAbsent(body["include"]) ? [] : listAt(body["include"], "include");
  const index = include.findIndex((name) => !INCLUDED.has(name));
  if (index >= 0)
    throw unsupported(
      `include.${index}`,
      `${JSON.stringify(include[index] ?? null).slice(0, 100)} cannot be included here; leave it out.`,
    );
}

/**
 * The body of OpenAI's `POST /v1/responses` as a chat completion request. What would change the answer's meaning
 * and cannot be done is refused; what only tunes is dropped.
 * @throws AppError `invalid_request`
 */
export function readResponsesRequest(body: Fields, earlier: EarlierItems): ChatRequest {
  const instructions = optionalText(body["instructions"], "instructions");
  const model = readModel(body);
  const messages = [
    ...(instructions === null ? [] : [{ role: "system", content: instructions }]),
    ...readInput(earlier.input, earlier.items),
  ];
  const stream = optionalFlag(body["stream"], "stream") ?? false;
  const limit = body["max_output_tokens"];
  const user =
    optionalText(body["safety_identifier"], "safety_identifier") ??
    optionalText(body["user"], "user");
  const raw = withoutAbsent({
    model,
    messages,
    max_completion_tokens: isAbsent(limit) ? null : tokenLimitAt(limit, "max_output_tokens"),
    temperature: optionalNumber(body["temperature"], "temperature"),
    top_p: optionalNumber(body["top_p"], "top_p"),
    reasoning_effort: isAbsent(body["reasoning"])
      ? null
      : optionalText(fieldsAt(body["reasoning"], "reasoning")["effort"], "reasoning.effort"),
    user,
    verbosity: isAbsent(body["text"])
      ? null
      : optionalText(fieldsAt(body["text"], "text")["verbosity"], "text.verbosity"),
    ...readFormat(body["text"]),
    ...readTools(body),
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
  });
  return { model, messages, stream, user, raw };
}

function readFormat(text: unknown): Fields {
  const format = isAbsent(text) ? null : fieldsAt(text, "text")["format"];
  if (isAbsent(format)) return {};
  const { type, name, schema, strict, description } = fieldsAt(format, "text.format");
  if (type === "text") return {};
  if (type === "json_object") return { response_format: { type } };
  if (type !== "json_schema")
    throw invalid("text.format.type", "must be text, json_object or json_schema");
  const named = withoutAbsent({
    name: textAt(name, "text.format.name"),
    schema: fieldsAt(schema, "text.format.schema"),
    strict,
    description,
  });
  return { response_format: { type, json_schema: named } };
}

function readTools(body: Fields): Fields {
  if (isAbsent(body["tools"])) return {};
  const tools = listAt(body["tools"], "tools").map((value, index) => {
    const path = `tools.${index}`;
    const { type, name, description, parameters, strict } = fieldsAt(value, path);
    if (type !== "function")
      throw unsupported(
        `${path}.type`,
        `${JSON.stringify(type ?? null).slice(0, 100)} is a tool of OpenAI's own, which other models do not have; send tools of the type function.`,
      );
    const called = { name: textAt(name, `${path}.name`), description, parameters, strict };
    return { type, function: withoutAbsent(called) };
  });
  if (tools.length === 0) return {};
  const parallel = optionalFlag(body["parallel_tool_calls"], "parallel_tool_calls");
  return {
    ...readChoice(body["tool_choice"], tools),
    ...(parallel === null ? {} : { parallel_tool_calls: parallel }),
  };
}

/** A choice of some tools is made by sending those alone. */
function readChoice(choice: unknown, tools: { function: Fields }[]): Fields {
  if (isAbsent(choice)) return { tools };
  if (choice === "auto" || choice === "none" || choice === "required")
    return { tools, tool_choice: choice };
  const { type, name, mode, tools: allowed } = fieldsAt(choice, "tool_choice");
  if (type === "function")
    return {
      tools,
      tool_choice: { type, function: { name: textAt(name, "tool_choice.name") } },
    };
  if (type !== "allowed_tools")
    throw unsupported(
      "tool_choice.type",
      "choose auto, none, required, function or allowed_tools.",
    );
  const names = listAt(allowed, "tool_choice.tools").map(
    (tool, index) => fieldsAt(tool, `tool_choice.tools.${index}`)["name"],
  );
  const some = tools.filter(({ function: called }) => names.includes(called["name"]));
  if (some.length === 0) throw invalid("tool_choice.tools", "must name tools that are sent");
  return { tools: some, tool_choice: mode === "required" ? "required" : "auto" };
}
