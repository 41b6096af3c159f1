import type { OpenAPIHono } from "@hono/zod-openapi";
import { VERSION } from "#core/kernel/version.ts";
import type { AppEnv } from "../app-types.ts";
import { createRouter } from "../openapi.ts";
import { skillContracts } from "./skills.ts";

const DESCRIPTION = `
Switchyard is a gateway to language models with sessions, keys, usage and a Telegram bot.

- **Authentication**: \`Authorization: Bearer <key>\` or \`x-api-key: <key>\`. A super admin acts for one team by the header \`x-team-id\`.
- **Errors** are \`application/problem+json\` with a \`code\` from a closed set and our \`request_id\`; under the OpenAI-compatible and the Anthropic-compatible paths they have OpenAI's and Anthropic's shape.
- **Lists** come in pages: \`?limit=\` and \`?cursor=\`, the next of which is \`next_cursor\`.
- **Times** are ISO 8601 in UTC, **money** is a decimal string in US dollars, **ids** are prefixed.
- **Idempotency-Key** on a POST that creates something makes repeating it safe for 24 hours.
`.trim();

const TAGS = [
  {
    name: "OpenAI-compatible",
    description: "What the OpenAI SDKs call: completions, models, embeddings",
  },
  {
    name: "Anthropic-compatible",
    description: "Anthropic's Messages API for every model: its official SDKs work unchanged",
  },
  { name: "Chat", description: "Chat with a history that is kept here" },
  { name: "Sessions", description: "The histories: read, change, reset, erase" },
  { name: "Teams", description: "Whoever pays: everything else belongs to one team" },
  { name: "Members", description: "The people of a team" },
  { name: "Keys", description: "API keys: what they may do, their rotation and their end" },
  { name: "Limits", description: "What teams and keys may use, and prepaid credits" },
  {
    name: "Guard rails",
    description: "What may not go to a model or come from one, and what is masked",
  },
  {
    name: "Skills",
    description:
      "What the product can do beside chat: by HTTP, as tools of models and by MCP alike",
  },
  { name: "VIN", description: "What a vehicle's identification number says" },
  { name: "Campaigns", description: "What advertising costs and brings, and why it changed" },
  { name: "Uploads", description: "Files that are too large for one request" },
  { name: "Usage", description: "What was used and what it cost: in sums and by single requests" },
  { name: "Audit", description: "Who changed what, from where, before and after" },
  { name: "Telegram", description: "Linking Telegram chats to a team" },
  { name: "Admin", description: "Super admins: the providers and models of the catalog" },
  {
    name: "Jobs",
    description:
      "Work that takes long: made at once, done in the background, watched, cancelled, repeated by the clock.",
  },
  { name: "Schedules", description: "Super admins: what runs by the clock, and running it now" },
  { name: "Operations", description: "Whether it runs and whether it can serve" },
];

/** Where the API is, for those who read the document elsewhere. */
const serversOf = (publicUrl: string | null) => [
  ...(publicUrl === null ? [] : [{ url: publicUrl, description: "Here" }]),
  { url: "/", description: "Where this document comes from" },
  { url: "http://localhost:8787", description: "A machine that runs `npm start`" },
];

/**
 * The OpenAPI 3.1 document of all routes that were added to the app, and of a path for each skill.
 * @param publicUrl where the API is reached from outside, if that is known
 */
export function openApiDocument(app: OpenAPIHono<AppEnv>, publicUrl: string | null) {
  for (const contract of skillContracts()) app.openAPIRegistry.registerPath(contract);
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Switchyard",
      version: VERSION,
      description: DESCRIPTION,
      license: { name: "MIT" },
    },
    servers: serversOf(publicUrl),
    tags: TAGS,
  });
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) operation.operationId ??= operationId(method, path);
    }
  }
  return document;
}

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

/** `post`, `/v1/keys/{id}/rotate` → `postKeysIdRotate`: what generators of clients name their functions by. */
function operationId(method: string, path: string): string {
  const words = path.replace(/^\/v1/, "").split(/[^A-Za-z0-9]+/);
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

/** Adds `GET /openapi.json`, which describes all routes of the app, those that are added later too. */
export function serveOpenApi(app: OpenAPIHono<AppEnv>): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description:
      "An API key, `sy_live_…`, a key of a super admin, or an access token of an issuer in OIDC_ISSUERS",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "apiKeyHeader", {
    type: "apiKey",
    in: "header",
    name: "x-api-key",
    description: "The same key in a header of its own",
  });
  let text: string | null = null; // made at the first request of an isolate, since most isolates are never asked
  app.get("/openapi.json", (c) => {
    text ??= JSON.stringify(openApiDocument(app, c.get("deps").settings.PUBLIC_URL));
    return c.body(text, 200, {
      "content-type": "application/json",
      "access-control-allow-origin": "*",
      "cache-control": "public, max-age=300",
    });
  });
}

/** The page calls this API only, and nothing else may call from it. Swagger UI styles its elements inline. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** `/docs` and its files, from the static assets. */
export const documentationRoutes = createRouter();

documentationRoutes.get("/docs", (c) => c.redirect("/docs/", 308));
documentationRoutes.get("/docs/*", async (c) => {
  const asset = await c.get("deps").assets.fetch(c.req.raw);
  const response = new Response(asset.body, asset); // what fetch returns has headers that cannot be set
  response.headers.set("content-security-policy", PAGE_POLICY);
  return response;
});
