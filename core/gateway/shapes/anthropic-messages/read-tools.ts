import { withNative } from "../../../providers/kinds/anthropic/native.ts";
import { invalid } from "../../chat-request.ts";
import {
  type Fields,
  fieldsAt,
  isAbsent,
  listAt,
  optionalFlag,
  optionalText,
  textAt,
  unsupported,
  withoutAbsent,
} from "../fields.ts";

/**
 * Tools with an `input_schema` as functions; null where there are none.
 * @throws AppError `invalid_request`, also for tools that only Anthropic runs or knows
 */
export function readTools(value: unknown): Fields[] | null {
  if (isAbsent(value)) return null;
  const tools = listAt(value, "tools").map((tool, index) =>
    readTool(fieldsAt(tool, `tools.${index}`), `tools.${index}`),
  );
  return tools.length > 0 ? tools : null;
}

function readTool(tool: Fields, path: string): Fields {
  const { type } = tool;
  if (!isAbsent(type) && type !== "custom") {
    throw unsupported(
      `${path}.type`,
      `${JSON.stringify(type).slice(0, 100)} is a tool of Anthropic's own, which other models do not have. Describe it with a name and an input_schema instead.`,
    );
  }
  const described = {
    type: "function",
    function: withoutAbsent({
      name: textAt(tool["name"], `${path}.name`),
      description: optionalText(tool["description"], `${path}.description`),
      parameters: fieldsAt(tool["input_schema"], `${path}.input_schema`),
      strict: optionalFlag(tool["strict"], `${path}.strict`),
    }),
  };
  return withNative(described, { cache_control: tool["cache_control"] });
}

/** @throws AppError `invalid_request` */
export function readToolChoice(value: unknown): Fields {
  if (isAbsent(value)) return {};
  const choice = fieldsAt(value, "tool_choice");
  const single = optionalFlag(
    choice["disable_parallel_tool_use"],
    "tool_choice.disable_parallel_tool_use",
  );
  const parallel = single === true ? { parallel_tool_calls: false } : {};
  return { tool_choice: namedChoice(choice), ...parallel };
}

function namedChoice({ type, name }: Fields): unknown {
  if (type === "auto" || type === "none") return type;
  if (type === "any") return "required";
  if (type === "tool")
    return { type: "function", function: { name: textAt(name, "tool_choice.name") } };
  throw invalid("tool_choice.type", "must be auto, any, tool or none");
}
