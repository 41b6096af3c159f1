import { AppError, toAppError } from "#core/kernel/errors.ts";
import { newId } from "#core/kernel/ids.ts";
import { VERSION } from "#core/kernel/version.ts";
import { type BotDeps, depsOf } from "./deps.ts";
import { checkBotReadiness } from "./readiness.ts";
import { takeUpdate } from "./webhook.ts";

export { TelegramChat } from "./chat-object/telegram-chat.ts";
export { InternalBot } from "./internal-bot.ts";

type Handler = (request: Request, deps: () => BotDeps) => Response | Promise<Response>;

const health: Handler = () =>
  Response.json({
    status: "healthy",
    service: "bot",
    version: VERSION,
    timestamp: new Date().toISOString(),
  });

const ready: Handler = async (_request, deps) => {
  const readiness = await checkBotReadiness(deps());
  return Response.json(readiness, { status: readiness.status === "not_ready" ? 503 : 200 });
};

const ROUTES: Record<string, { method: string; handle: Handler }> = {
  "/telegram/webhook": { method: "POST", handle: (request, deps) => takeUpdate(request, deps()) },
  "/health": { method: "GET", handle: health },
  "/ready": { method: "GET", handle: ready },
};

/** RFC 9457, as everywhere outside the OpenAI-compatible paths. */
function problem(error: AppError, requestId: string): Response {
  const { status, title } = error.meaning;
  const body = {
    type: "about:blank",
    title,
    status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
  };
  const headers = new Headers({ "content-type": "application/problem+json" });
  if (error.retryAfterSeconds !== undefined)
    headers.set("retry-after", String(error.retryAfterSeconds));
  return Response.json(body, { status, headers });
}

async function answer(request: Request, deps: () => BotDeps): Promise<Response> {
  const { pathname } = new URL(request.url);
  const route = Object.hasOwn(ROUTES, pathname) ? ROUTES[pathname] : undefined;
  if (!route) throw new AppError("not_found", { message: `There is no ${pathname} here.` });
  if (request.method !== route.method)
    throw new AppError("method_not_allowed", {
      message: `${pathname} takes ${route.method} only.`,
    });
  return route.handle(request, deps);
}

export default {
  async fetch(request, env): Promise<Response> {
    const requestId = newId("request");
    let deps: BotDeps | null = null;
    try {
      const response = await answer(request, () => (deps = depsOf(env)));
      response.headers.set("x-request-id", requestId);
      return response;
    } catch (thrown) {
      const error = toAppError(thrown);
      const response = problem(error, requestId);
      response.headers.set("x-request-id", requestId);
      logFailure(deps, { error, thrown, requestId });
      return response;
    }
  },
} satisfies ExportedHandler<BotEnv>;

function logFailure(
  deps: BotDeps | null,
  failure: { error: AppError; thrown: unknown; requestId: string },
): void {
  const { error, thrown, requestId } = failure;
  if (error.meaning.status < 500) return;
  const line = {
    level: "error",
    time: new Date().toISOString(),
    event: "request_failed",
    service: "bot",
    request_id: requestId,
    code: error.code,
  };
  if (deps)
    deps.log.error("request_failed", {
      request_id: requestId,
      code: error.code,
      error: error.cause ?? thrown,
    });
  else console.error(JSON.stringify({ ...line, message: error.message })); // the settings are at fault, and with them the log level
}
