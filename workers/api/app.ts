import { HTTPException } from "hono/http-exception";
import { JSON_BODY_LIMIT } from "#core/access/access-rules.ts";
import { AppError, toAppError } from "#core/kernel/errors.ts";
import type { AppContext } from "./app-types.ts";
import { allowOrigins } from "./middleware/allow-origins.ts";
import { authenticate } from "./middleware/authenticate.ts";
import { bodyLimit } from "./middleware/body-limit.ts";
import { requestFrame } from "./middleware/request-frame.ts";
import { createRouter } from "./openapi.ts";
import { errorResponse } from "./problem.ts";
import { serveOpenApi } from "./routes/documentation.ts";
import { publicRoutes, routes } from "./routes/index.ts";
import { answerSignedLink } from "./routes/job-results.ts";

/** Malformed JSON and wrong media types are found by Hono's validators, which throw its own exception. */
function asAppError(thrown: unknown): AppError {
  if (thrown instanceof HTTPException && thrown.status === 400) {
    return new AppError("invalid_json", { message: "The body is not valid JSON.", cause: thrown });
  }
  if (thrown instanceof HTTPException && thrown.status === 415) {
    return new AppError("unsupported_media_type", {
      message: "Send the body as JSON, with the header content-type: application/json.",
      cause: thrown,
    });
  }
  return toAppError(thrown);
}

const failedRequest = (c: AppContext) => ({
  path: c.req.path,
  requestId: c.get("requestId") ?? "",
  anthropicVersion: c.req.header("anthropic-version"),
});

function handleError(thrown: Error, c: AppContext): Response {
  const error = asAppError(thrown);
  c.error = error; // the request's log line tells the same as the answer
  return errorResponse(error, failedRequest(c));
}

/** The api Worker's routes, the same for requests from outside and for those by service binding. */
export function createApp() {
  const app = createRouter();
  app.onError(handleError);
  app.notFound((c) => {
    const error = new AppError("not_found", {
      message: `There is no ${c.req.method} ${c.req.path}. See /docs for what there is.`,
    });
    return errorResponse(error, failedRequest(c));
  });
  app.use(requestFrame);
  app.use(allowOrigins);
  for (const router of publicRoutes) app.route("/", router);
  serveOpenApi(app);
  app.use("/v1/jobs/:id/results/:name", answerSignedLink);
  app.use("/v1/*", bodyLimit(JSON_BODY_LIMIT), authenticate);
  app.use("/mcp", bodyLimit(JSON_BODY_LIMIT), authenticate);
  app.use("/gateway/*", bodyLimit(JSON_BODY_LIMIT), authenticate);
  for (const router of routes) app.route("/", router);
  return app;
}
