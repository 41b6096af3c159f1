import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import type { Refusal } from "../kind.ts";

/** Reasons by which a request of ours is refused for the operator's sake, not the client's. */
const OPERATORS = new Set(["API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED"]);

/**
 * Reads an error of Google's APIs: `{"error": {"code", "message", "status", "details"}}`, at times in a list.
 * https://cloud.google.com/apis/design/errors
 */
export function readRefusal(status: number, text: string | null): Refusal {
  const error = errorOf(text);
  const { message } = error;
  const details = listOf(error["details"]).map(objectOf);
  return {
    status: statusOf(status, error, details),
    message: typeof message === "string" ? message : null,
    param: null, // it names its own fields, which the client never saw
    retryAfterSeconds: retryDelay(details),
  };
}

function statusOf(status: number, error: Fields, details: Fields[]): number {
  // A bad key is an invalid argument to Google, a place or an account without the API a failed precondition.
  const operators = details.some(({ reason }) => OPERATORS.has(String(reason)));
  if (status === 400 && operators) return 401;
  if (status === 400 && error["status"] === "FAILED_PRECONDITION") return 403;
  return status;
}

function errorOf(text: string | null): Fields {
  try {
    const body: unknown = JSON.parse(text ?? "");
    return objectOf(objectOf(Array.isArray(body) ? body[0] : body)["error"]);
  } catch {
    return {};
  }
}

/** `google.rpc.RetryInfo` says `"retryDelay": "34.07s"`. */
function retryDelay(details: Fields[]): number | null {
  const info = details.find((detail) => String(detail["@type"]).endsWith("google.rpc.RetryInfo"));
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(String(info?.["retryDelay"]))?.[1];
  return seconds === undefined ? null : Math.min(3_600, Math.max(1, Math.ceil(Number(seconds))));
}
