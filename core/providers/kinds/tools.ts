import { type Fields, listOf, objectOf } from "../../chat/loose-json.ts";
import { malformed, unsupported } from "./kind.ts";

/** A function that the model may call. */
export interface FunctionTool {
  name: string;
  description: string | null;
  /** A JSON schema; null where it takes nothing. */
  parameters: Fields | null;
  strict: boolean;
  /** The tool as the client sent it. */
  raw: Fields;
}

/** Which functions a model may call, and whether it has to. */
export interface ToolUse {
  tools: FunctionTool[];
  choice: "auto" | "none" | "required" | { name: string };
  /** False where it may call one at most. */
  parallel: boolean;
}

/** A call of a function in the assistant's own message. */
export interface ToolCall {
  id: string;
  name: string;
  input: Fields;
  /** What its provider wants back with it, under the provider's name. */
  extra: Fields;
}

/**
 * Reads `tools`, `tool_choice` and `parallel_tool_calls`; null where there are no tools.
 * @param label the kind's name in sentences
 * @throws AppError `invalid_request`
 */
export function readToolUse(raw: Fields, label: string): ToolUse | null {
  const tools = listOf(raw["tools"]).map((tool, index) => readTool(objectOf(tool), index, label));
  const parallel = raw["parallel_tool_calls"] !== false;
  const choice = raw["tool_choice"] ?? "auto";
  if (tools.length === 0) return null;
  if (choice === "auto" || choice === "none" || choice === "required")
    return { tools, choice, parallel };
  const fields = objectOf(choice);
  if (fields["type"] === "function") {
    const { name } = objectOf(fields["function"]);
    if (typeof name === "string") return { tools, choice: { name }, parallel };
  }
  if (fields["type"] === "allowed_tools")
    return { ...allowedOf(objectOf(fields["allowed_tools"]), tools), parallel };
  throw malformed("tool_choice", "must be auto, none, required, or name one of the tools");
}

/** Only some of the tools: the others are not told to the model. */
function allowedOf(allowed: Fields, tools: FunctionTool[]): Pick<ToolUse, "tools" | "choice"> {
  const names = listOf(allowed["tools"]).map(
    (tool) => objectOf(objectOf(tool)["function"])["name"],
  );
  const known = tools.filter(({ name }) => names.includes(name));
  if (known.length === 0)
    throw malformed("tool_choice.allowed_tools.tools", "must name at least one of the tools");
  return { tools: known, choice: allowed["mode"] === "required" ? "required" : "auto" };
}

function readTool(tool: Fields, index: number, label: string): FunctionTool {
  if (tool["type"] !== "function")
    throw unsupported(label, `tools[${index}].type`, "can be nothing but function");
  const { name, description, parameters, strict } = objectOf(tool["function"]);
  if (typeof name !== "string" || name === "")
    throw malformed(`tools[${index}].function.name`, "must be a text");
  return {
    name,
    description: typeof description === "string" ? description : null,
    parameters: parameters === null || parameters === undefined ? null : objectOf(parameters),
    strict: strict === true,
    raw: tool,
  };
}

/**
 * The calls in a message of the assistant.
 * @param path where the message stands, such as `messages[2]`
 * @throws AppError `invalid_request`
 */
export function toolCallsOf(message: Fields, path: string): ToolCall[] {
  return listOf(message["tool_calls"]).map((value, index) => {
    const call = objectOf(value);
    const { name, arguments: text } = objectOf(call["function"]);
    const at = `${path}.tool_calls[${index}]`;
    if (typeof call["id"] !== "string") throw malformed(`${at}.id`, "must be a text");
    if (typeof name !== "string") throw malformed(`${at}.function.name`, "must be a text");
    const input = readArguments(text, `${at}.function.arguments`);
    return { id: call["id"], name, input, extra: objectOf(call["extra_content"]) };
  });
}

function readArguments(text: unknown, path: string): Fields {
  if (text === undefined || text === null || text === "") return {};
  try {
    const value: unknown = JSON.parse(String(text));
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Fields; // an object, as checked
  } catch {
    // Said below, with the place where it stands.
  }
  throw malformed(path, "must be a JSON object as a text");
}

/**
 * Which call a message of role `tool` answers.
 * @throws AppError `invalid_request`
 */
export function toolCallIdOf(message: Fields, path: string): string {
  const { tool_call_id: id } = message;
  if (typeof id === "string") return id;
  throw malformed(`${path}.tool_call_id`, "must name the call that this answers");
}
