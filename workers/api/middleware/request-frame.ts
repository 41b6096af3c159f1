import type { Next } from "hono";
import { toAppError } from "#core/kernel/errors.ts";
import { newId } from "#core/kernel/ids.ts";
import { continueTrace, traceparentOf } from "#core/kernel/trace-context.ts";
import type { AppContext } from "../app-types.ts";
import { depsOf } from "../deps.ts";

const CLIENT_ID_LIMIT = 200;

/** What frames every request: its id, its trace, its timing headers and its one log line. */
export async function requestFrame(c: AppContext, next: Next): Promise<void> {
  const receivedAt = Date.now();
  const requestId = newId("request", receivedAt);
  c.set("receivedAt", receivedAt);
  c.set("requestId", requestId);
  c.set("upstreamMs", null);
  c.set("framed", false);
  c.set("logsItself", false);
  const made = depsOf(c.env);
  const deps = made instanceof Promise ? await made : made;
  const traceparent = c.req.header("traceparent");
  const trace = continueTrace(traceparent, traceparent && c.req.header("tracestate"));
  c.set("deps", deps);
  c.set("trace", trace);
  c.set("log", deps.log.with({ request_id: requestId, trace_id: trace.traceId }));
  await next();
  if (!c.get("framed")) putFrameHeaders(c, (name, value) => c.res.headers.set(name, value));
  if (!c.get("logsItself")) logRequest(c, c.res.status, c.error);
}

/**
 * What every answer says in its headers. An answer that is built with them costs less than one that gets them later.
 * @param put a plain object and `Headers` both will do
 */
export function putFrameHeaders(c: AppContext, put: (name: string, value: string) => void): void {
  put("x-request-id", c.get("requestId"));
  const clientId = c.req.header("x-client-request-id") ?? c.req.header("x-request-id");
  if (clientId && /^[\x21-\x7e]+$/.test(clientId))
    put("x-client-request-id", clientId.slice(0, CLIENT_ID_LIMIT));
  put("traceparent", traceparentOf(c.get("trace")));
  const upstream = c.get("upstreamMs");
  const total = `total;dur=${Date.now() - c.get("receivedAt")}`;
  put("server-timing", upstream === null ? total : `upstream;dur=${upstream}, ${total}`);
  put("x-content-type-options", "nosniff");
}

/**
 * The path without what is secret or somebody's own in it: the address of an invitation is all that it takes to accept
 * it, and a VIN leads to the keeper of a vehicle.
 */
function loggedPath(path: string): string {
  if (path.startsWith("/join/")) return "/join/…";
  if (path.startsWith("/v1/vin/") && path !== "/v1/vin/batch") return "/v1/vin/…";
  return path.slice(0, 300);
}

/** The request's one log line. Neither bodies nor query strings are in it. */
export function logRequest(
  c: AppContext,
  status: number,
  thrown?: unknown,
  more: Record<string, unknown> = {},
): void {
  const principal: AppContext["var"]["principal"] | undefined = c.get("principal");
  const bearer =
    principal?.kind === "token" || principal?.kind === "person" ? principal : undefined;
  const error = thrown === undefined ? undefined : toAppError(thrown);
  const fields = {
    method: c.req.method,
    path: loggedPath(c.req.path),
    status,
    duration_ms: Date.now() - c.get("receivedAt"),
    team_id: principal?.teamId ?? undefined,
    key_id: principal?.kind === "key" ? principal.keyId : undefined,
    actor: principal?.kind,
    subject: bearer?.subject,
    issuer: bearer?.issuer,
    client_request_id: c.req.header("x-client-request-id")?.slice(0, CLIENT_ID_LIMIT),
    error_code: error?.code,
    ...(status >= 500 && error
      ? { cause: error.cause ?? error.message, details: error.details }
      : {}),
    ...more,
  };
  c.get("log")[status >= 500 ? "error" : "info"]("request", fields);
}
