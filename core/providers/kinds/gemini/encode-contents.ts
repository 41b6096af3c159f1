import { type Fields, objectOf } from "../../../chat/loose-json.ts";
import { malformed, unsupported } from "../kind.ts";
import { type MessagePart, NO_WORDS, partsOf, textOf } from "../message-parts.ts";
import { toolCallIdOf, toolCallsOf } from "../tools.ts";
import { isBeforeThree } from "./encode-thinking.ts";

const LABEL = "Google's Gemini API";

/**
 * Stands where a signature was lost, or another provider made the call: Gemini 3 refuses a call without one.
 * https://ai.google.dev/gemini-api/docs/thought-signatures
 */
const NO_SIGNATURE = "skip_thought_signature_validator";

/** What the address of a picture says of its type; Google wants one, and looks at the picture itself. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  png: "image/png",
  webp: "image/webp",
  heic: "image/heic",
  heif: "image/heif",
  gif: "image/gif",
  pdf: "application/pdf",
};

export interface Conversation {
  system: Fields[];
  contents: Fields[];
}

/**
 * Puts canonical messages into contents. The results of one turn's calls become one content, as Gemini counts them
 * against the calls.
 * @throws AppError `invalid_request`
 */
export function encodeContents(list: readonly unknown[], model: string): Conversation {
  const system: Fields[] = [];
  const contents: { role: string; parts: Fields[] }[] = [];
  const names = new Map<string, string>();
  let answering = false;
  const say = (role: string, parts: Fields[]) => {
    const last = contents.at(-1);
    if (parts.length === 0) return;
    // Calls have to follow right after a user's turn: what the model says before them is of the same turn.
    if (role === "model" && last?.role === role) last.parts.push(...parts);
    else contents.push({ role, parts });
  };
  for (const [index, value] of list.entries()) {
    const message = objectOf(value);
    const path = `messages[${index}]`;
    const { role } = message;
    if (role === "system" || role === "developer") {
      const text = textOf(message["content"], `${path}.content`);
      if (text !== "") system.push({ text });
    } else if (role === "user") {
      say("user", partsOf(message["content"], `${path}.content`).map(encodePart));
    } else if (role === "assistant") {
      for (const { id, name } of toolCallsOf(message, path)) names.set(id, name);
      say("model", modelParts(message, path, model));
    } else if (role === "tool") {
      const result = toolResult(message, path, names);
      if (answering) contents.at(-1)?.parts.push(result);
      else say("user", [result]);
    } else {
      throw unsupported(
        LABEL,
        `${path}.role`,
        "must be system, developer, user, assistant or tool",
      );
    }
    answering = role === "tool";
  }
  if (contents[0]?.role !== "user") contents.unshift({ role: "user", parts: [{ text: NO_WORDS }] });
  return { system, contents };
}

function modelParts(message: Fields, path: string, model: string): Fields[] {
  const refusal = message["content"] ? undefined : message["refusal"];
  const text = textOf(message["content"] ?? refusal, `${path}.content`);
  const signature = signatureOf(objectOf(message["extra_content"]));
  const said = text === "" && signature === null ? [] : [{ text, ...signed(signature) }];
  const calls = toolCallsOf(message, path).map(({ id, name, input, extra }, index) => {
    const lost = index === 0 && !isBeforeThree(model) ? NO_SIGNATURE : null;
    return {
      functionCall: { id, name, args: input },
      ...signed(signatureOf(extra) ?? lost),
    };
  });
  return [...said, ...calls];
}

function signatureOf(extra: Fields): string | null {
  const { thought_signature: signature } = objectOf(extra["google"]);
  return typeof signature === "string" ? signature : null;
}

function signed(signature: string | null): Fields {
  return signature === null ? {} : { thoughtSignature: signature };
}

function toolResult(message: Fields, path: string, names: ReadonlyMap<string, string>): Fields {
  const id = toolCallIdOf(message, path);
  const name = names.get(id);
  if (name === undefined)
    throw malformed(`${path}.tool_call_id`, "names no call of the messages before it");
  const text = textOf(message["content"], `${path}.content`);
  return { functionResponse: { id, name, response: asObject(text) } };
}

/** A result has to be an object: one that is none becomes the `output` that Google names for it. */
function asObject(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Fields; // an object, as checked
  } catch {
    // Plain text, as most results are.
  }
  return { output: text };
}

function encodePart(part: MessagePart): Fields {
  if (part.type === "text") return { text: part.text };
  const { source, path } = part;
  if (source.from === "id")
    throw unsupported(
      LABEL,
      `${path}.file.file_id`,
      "cannot be a file uploaded elsewhere; send file_data",
    );
  if (source.from === "data")
    return { inlineData: { mimeType: source.mediaType, data: source.base64 } };
  return { fileData: { mimeType: mediaTypeOf(source.url), fileUri: source.url } };
}

function mediaTypeOf(url: string): string {
  const ending = /\.([a-z]+)(?:[?#]|$)/i.exec(url.slice(url.lastIndexOf("/")))?.[1]?.toLowerCase();
  return MEDIA_TYPES[ending ?? ""] ?? "image/jpeg";
}
