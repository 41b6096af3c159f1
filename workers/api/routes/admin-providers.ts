import { deleteProvider } from "#core/providers/admin/delete-provider.ts";
import { getProvider } from "#core/providers/admin/get-provider.ts";
import { listProviders } from "#core/providers/admin/list-providers.ts";
import type { Provider } from "#core/providers/admin/provider.ts";
import { putProvider, putProviderInput } from "#core/providers/admin/put-provider.ts";
import { KIND_NAMES } from "#core/providers/kinds/kind.ts";
import {
  createRoute,
  createRouter,
  jsonBody,
  jsonResponse,
  noContent,
  pageOf,
  pageQuery,
  problemResponses,
  security,
  z,
} from "../openapi.ts";

const providerSchema = z
  .object({
    name: z.string(),
    kind: z.enum(KIND_NAMES),
    base_url: z.string().nullable(),
    has_api_key: z.boolean().openapi({ description: "The key itself is never shown" }),
    timeout_ms: z.number().int(),
    timeouts: z.object({
      first_token_ms: z.number().int().nullable(),
      between_tokens_ms: z.number().int(),
      total_ms: z.number().int(),
    }),
    retries: z.object({ max: z.number().int() }),
    circuit: z.object({
      window_ms: z.number().int(),
      minimum_requests: z.number().int(),
      error_rate: z.number(),
      slow_ms: z.number().int().nullable(),
      slow_rate: z.number(),
      open_ms: z.number().int(),
    }),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("Provider");

const encodeProvider = (provider: Provider): z.infer<typeof providerSchema> => ({
  name: provider.name,
  kind: provider.kind,
  base_url: provider.baseUrl,
  has_api_key: provider.hasApiKey,
  timeout_ms: provider.timeoutMs,
  timeouts: {
    first_token_ms: provider.firstTokenMs,
    between_tokens_ms: provider.betweenTokensMs,
    total_ms: provider.totalMs,
  },
  retries: { max: provider.maxRetries },
  circuit: {
    window_ms: provider.circuit.windowMs,
    minimum_requests: provider.circuit.minimumRequests,
    error_rate: provider.circuit.errorRate,
    slow_ms: provider.circuit.slowMs,
    slow_rate: provider.circuit.slowRate,
    open_ms: provider.circuit.openMs,
  },
  created_at: provider.createdAt.toISOString(),
  updated_at: provider.updatedAt.toISOString(),
});

const EXAMPLE: z.infer<typeof providerSchema> = {
  name: "openai",
  kind: "openai",
  base_url: "https://api.openai.com/v1",
  has_api_key: true,
  timeout_ms: 60_000,
  timeouts: { first_token_ms: null, between_tokens_ms: 60_000, total_ms: 600_000 },
  retries: { max: 1 },
  circuit: {
    window_ms: 30_000,
    minimum_requests: 10,
    error_rate: 0.5,
    slow_ms: null,
    slow_rate: 0.8,
    open_ms: 10_000,
  },
  created_at: "2026-11-21T09:30:00.000Z",
  updated_at: "2026-11-21T09:30:00.000Z",
};

const params = z.object({
  name: z.string().openapi({ description: "What the provider is called here", example: "openai" }),
});

const common = { tags: ["Admin"], security, description: "Super admins only." };

const putContract = createRoute({
  ...common,
  method: "put",
  path: "/v1/admin/providers/{name}",
  summary: "Create or replace a provider",
  description: `${common.description} Addresses on private networks are refused unless ALLOW_PRIVATE_UPSTREAMS is set. The key is kept encrypted; a PUT without \`api_key\` leaves it as it is.`,
  request: {
    params,
    ...jsonBody(putProviderInput, {
      kind: "openai",
      base_url: EXAMPLE.base_url,
      api_key: "sk-…",
      timeout_ms: 60_000,
    }),
  },
  responses: {
    200: jsonResponse("It was replaced", providerSchema, EXAMPLE),
    201: jsonResponse("It was created", providerSchema, EXAMPLE),
    ...problemResponses,
  },
});

const listContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/admin/providers",
  summary: "List providers",
  description: `${common.description} The service from AI_SERVICE_URL is a setting and not among them.`,
  request: { query: pageQuery },
  responses: {
    200: jsonResponse("Providers by name", pageOf(providerSchema), {
      data: [EXAMPLE],
      next_cursor: null,
    }),
    ...problemResponses,
  },
});

const getContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/admin/providers/{name}",
  summary: "Read a provider",
  request: { params },
  responses: {
    200: jsonResponse("The provider", providerSchema, EXAMPLE),
    ...problemResponses,
  },
});

const deleteContract = createRoute({
  ...common,
  method: "delete",
  path: "/v1/admin/providers/{name}",
  summary: "Delete a provider",
  description: `${common.description} While models use it, it is 409.`,
  request: { params },
  responses: { 204: noContent("It is gone, and its key with it"), ...problemResponses },
});

export const adminProviderRoutes = createRouter()
  .openapi(putContract, async (c) => {
    const { provider, created } = await putProvider(c.get("context"), {
      ...c.req.valid("json"),
      name: c.req.valid("param").name,
      allowPrivate: c.get("deps").settings.ALLOW_PRIVATE_UPSTREAMS,
    });
    return c.json(encodeProvider(provider), created ? 201 : 200);
  })
  .openapi(listContract, async (c) => {
    const page = await listProviders(c.get("context"), c.req.valid("query"));
    return c.json({ data: page.items.map(encodeProvider), next_cursor: page.nextCursor }, 200);
  })
  .openapi(getContract, async (c) => {
    return c.json(encodeProvider(await getProvider(c.get("context"), c.req.valid("param"))), 200);
  })
  .openapi(deleteContract, async (c) => {
    await deleteProvider(c.get("context"), c.req.valid("param"));
    return c.body(null, 204);
  });
