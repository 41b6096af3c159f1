import { type Fields, listOf, objectOf } from "../chat/loose-json.ts";

const PREFIXES: Record<string, string> = {
  message: "msg",
  function_call: "fc",
  function_call_output: "fco",
  reasoning: "rs",
};
const ID_LIMIT = 200;

/**
 * The input of a request as items that can be kept and listed: each with its type and an id, texts as parts.
 * @param rest of the response's id, of which ids of items are made
 */
export function keptInput(input: unknown, rest: string): Fields[] {
  const items = typeof input === "string" ? [{ role: "user", content: input }] : listOf(input);
  return items.map(objectOf).map((item, index) => {
    const { id, type = "message", content, ...fields } = item;
    const prefix = PREFIXES[String(type)] ?? "item";
    const known = typeof id === "string" && id !== "" && id.length <= ID_LIMIT;
    return {
      id: known ? id : `${prefix}_${rest}_in${index}`,
      type,
      ...fields,
      ...(content === undefined ? {} : { content: partsOf(content, fields["role"]) }),
    };
  });
}

function partsOf(content: unknown, role: unknown): unknown {
  if (typeof content !== "string") return content;
  if (role !== "assistant") return [{ type: "input_text", text: content }];
  return [{ type: "output_text", text: content, annotations: [] }];
}
