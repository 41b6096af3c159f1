import type { ReceivedBody } from "#core/uploads/receive-body.ts";
import type { AppContext } from "./app-types.ts";

/** Routes that take files as they are, beside JSON. Their limits are the uploads' own. */
const FILE_ROUTES: readonly (readonly [string, RegExp])[] = [
  ["POST", /^\/v1\/campaigns\/uploads$/],
  ["POST", /^\/v1\/vin\/batch$/],
  ["PUT", /^\/v1\/uploads\/[^/]+\/parts\/[^/]+$/],
];

/** Whether the request's body may be a file. */
export const takesFiles = ({ method, path }: { method: string; path: string }): boolean =>
  FILE_ROUTES.some(([routeMethod, pattern]) => routeMethod === method && pattern.test(path));

/** The request's body as a stream, with its length where the request says one; null where there is none. */
export function receivedBody(c: AppContext): ReceivedBody | null {
  const { body, headers } = c.req.raw;
  if (body === null) return null;
  const said = headers.has("transfer-encoding") ? null : headers.get("content-length");
  return { stream: body, length: said === null ? null : Number(said) };
}
