import type { IncomingMessage } from "node:http";
import { badRequest } from "./bot-api-error.ts";
import type { Call, Upload } from "./methods.ts";

const JSON_FIELDS = new Set([
  "reply_markup",
  "entities",
  "caption_entities",
  "allowed_updates",
  "commands",
  "scope",
  "reply_parameters",
  "link_preview_options",
  "media",
]);

function fieldValue(name: string, value: string): unknown {
  if (!JSON_FIELDS.has(name)) return value;
  try {
    return JSON.parse(value);
  } catch {
    throw badRequest(`can't parse ${name} JSON object`);
  }
}

/** Reads a call's parameters from the query and from a JSON, urlencoded or multipart body. @throws BotApiError 400 */
export async function readCall(request: IncomingMessage, query: URLSearchParams): Promise<Call> {
  const params: Record<string, unknown> = {};
  const uploads = new Map<string, Upload>();
  for (const [name, value] of query) params[name] = fieldValue(name, value);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const type = request.headers["content-type"] ?? "";
  if (body.length === 0) return { params, uploads };
  if (type.startsWith("application/json")) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(body.toString());
    } catch {
      throw badRequest("can't parse request JSON object");
    }
    Object.assign(params, parsed);
  } else if (
    type.startsWith("multipart/form-data") ||
    type.startsWith("application/x-www-form-urlencoded")
  ) {
    const form = await new Response(new Uint8Array(body), {
      headers: { "content-type": type },
    }).formData();
    for (const [name, value] of form) {
      if (typeof value === "string") params[name] = fieldValue(name, value);
      else
        uploads.set(name, { name: value.name, bytes: new Uint8Array(await value.arrayBuffer()) });
    }
  }
  return { params, uploads };
}
