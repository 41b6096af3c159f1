import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import type { Refusal } from "../kind.ts";

/**
 * Codes whose status means something else than it does elsewhere,
 * https://developers.cloudflare.com/workers-ai/platform/errors/
 */
const STATUSES: Readonly<Record<number, number>> = {
  5007: 404, // no such model, which comes as 400
  5019: 403, // the binding is too old, which comes as 405
  3036: 402, // the account's free share is used up: waiting a little helps nobody, which comes as 429
  3040: 503, // out of capacity, which comes as 429
};

/** Reads `{"errors": [{"code", "message"}]}`, or the binding's own `{"internalCode", "description"}`. */
export function readRefusal(status: number, text: string | null): Refusal {
  const { code, message } = errorOf(text);
  const known = STATUSES[Number(code)];
  return {
    status: known ?? status,
    message: typeof message === "string" ? message : null,
    param: null,
    retryAfterSeconds: null,
  };
}

function errorOf(text: string | null): Fields {
  try {
    const body = objectOf(JSON.parse(text ?? ""));
    const [first] = listOf(body["errors"]);
    if (first) return objectOf(first);
    return { code: body["internalCode"], message: body["description"] ?? body["message"] };
  } catch {
    return {};
  }
}
