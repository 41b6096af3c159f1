import { invalid } from "../../chat-request.ts";
import { type Fields, fieldsAt, isAbsent, listAt, textAt, unsupported } from "../fields.ts";

/** What was said before, as items, and the request's own input, without references. */
export interface EarlierItems {
  items: readonly Fields[];
  input: unknown;
}

/**
 * The input of a response as messages of a chat completion.
 * @param earlier items that come before it, as they were kept
 * @throws AppError `invalid_request`
 */
export function readInput(input: unknown, earlier: readonly Fields[] = []): Fields[] {
  const own =
    typeof input === "string" ? [{ role: "user", content: input }] : listAt(input, "input");
  if (own.length === 0) throw invalid("input", "must not be empty");
  const items = [
    ...earlier.map((value) => ({ value, path: "previous_response_id" })),
    ...own.map((value, index) => ({ value, path: `input.${index}` })),
  ];
  const messages: Fields[] = [];
  let pictures: Fields[] = [];
  const showPictures = () => {
    if (pictures.length > 0) messages.push({ role: "user", content: pictures });
    pictures = [];
  };
  items.forEach(({ value, path }) => {
    const item = fieldsAt(value, path);
    const type = item["type"] ?? "message";
    if (type === "reasoning") return; // of no use to another service's model
    if (type === "function_call_output") {
      const { message, shown } = readOutput(item, path);
      messages.push(message);
      pictures.push(...shown);
      return;
    }
    showPictures();
    if (type === "function_call") addCall(messages, item, path);
    else if (type === "message") messages.push(readMessage(item, path));
    else
      throw unsupported(
        `${path}.type`,
        `items of the type ${JSON.stringify(type).slice(0, 100)} cannot be passed on; send messages, function_call and function_call_output.`,
      );
  });
  showPictures();
  if (messages.length === 0) throw invalid("input", "must hold at least one message");
  return messages;
}

function readMessage(item: Fields, path: string): Fields {
  const { role, content } = item;
  if (role !== "user" && role !== "assistant" && role !== "system" && role !== "developer")
    throw invalid(`${path}.role`, "must be user, assistant, system or developer");
  if (typeof content === "string") return { role, content };
  const parts = listAt(content, `${path}.content`).map((part, index) =>
    readPart(fieldsAt(part, `${path}.content.${index}`), `${path}.content.${index}`),
  );
  if (parts.every(({ type }) => type === "text") && (role !== "user" || parts.length === 1))
    return { role, content: parts.map(({ text }) => text).join("") };
  if (role !== "user") throw invalid(`${path}.content`, "can only be text here");
  return { role, content: parts };
}

function readPart(part: Fields, path: string): Fields {
  const { type, image_url: url, detail } = part;
  if (type === "input_text" || type === "output_text" || type === "text")
    return { type: "text", text: textAt(part["text"], `${path}.text`) };
  if (type === "refusal") return { type: "text", text: textAt(part["refusal"], `${path}.refusal`) };
  if (type === "input_image" && typeof url === "string")
    return { type: "image_url", image_url: { url, ...(isAbsent(detail) ? {} : { detail }) } };
  if (type === "input_file" && typeof part["file_data"] === "string") {
    const { filename, file_data } = part;
    return { type: "file", file: { filename: filename ?? "document.pdf", file_data } };
  }
  throw unsupported(
    path,
    "send input_text, input_image with an image_url, or input_file with file_data; there are no stored files here.",
  );
}

/** A tool's message has room for text only: pictures follow in a message of the user's. */
function readOutput(item: Fields, path: string): { message: Fields; shown: Fields[] } {
  const { output } = item;
  const parts =
    typeof output === "string"
      ? [{ type: "text", text: output }]
      : listAt(output, `${path}.output`).map((part, index) =>
          readPart(fieldsAt(part, `${path}.output.${index}`), `${path}.output.${index}`),
        );
  const content = parts.flatMap((part) => (part["type"] === "text" ? [part["text"]] : []));
  const shown = parts.filter((part) => part["type"] !== "text");
  const id = textAt(item["call_id"], `${path}.call_id`);
  return { message: { role: "tool", tool_call_id: id, content: content.join("\n") }, shown };
}

/** Calls that follow each other, or what the model said, are one message. */
function addCall(messages: Fields[], item: Fields, path: string): void {
  const call = {
    id: textAt(item["call_id"], `${path}.call_id`),
    type: "function",
    function: {
      name: textAt(item["name"], `${path}.name`),
      arguments: textAt(item["arguments"], `${path}.arguments`),
    },
  };
  const last = messages.at(-1);
  if (last?.["role"] !== "assistant") {
    messages.push({ role: "assistant", content: null, tool_calls: [call] });
    return;
  }
  const calls = last["tool_calls"];
  last["tool_calls"] = [...(Array.isArray(calls) ? calls : []), call];
}
