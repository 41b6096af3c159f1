import { STRATEGIES } from "#schema";
import { microsToDollars } from "#core/kernel/money.ts";
import { deleteModel } from "#core/providers/admin/delete-model.ts";
import { getModel } from "#core/providers/admin/get-model.ts";
import { listModelDefinitions } from "#core/providers/admin/list-model-definitions.ts";
import type { ModelDefinition } from "#core/providers/admin/model.ts";
import { putModel, putModelInput } from "#core/providers/admin/put-model.ts";
import type { ModelPrices } from "#core/providers/catalog.ts";
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

const pricesSchema = z.object({
  input_per_million: z.string(),
  output_per_million: z.string(),
  cached_input_per_million: z.string().optional(),
  cache_write_per_million: z.string().optional(),
  cache_write_1h_per_million: z.string().optional(),
});

const modelSchema = z
  .object({
    name: z.string(),
    targets: z.array(
      z.object({
        provider: z.string(),
        model: z.string(),
        weight: z.number().int(),
        prices: pricesSchema.optional(),
        max_output_tokens: z.number().int().optional(),
      }),
    ),
    strategy: z.enum(STRATEGIES),
    hedge_after_ms: z.number().int().nullable(),
    prices: pricesSchema,
    max_output_tokens: z.number().int().nullable(),
    context_tokens: z.number().int().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("ModelDefinition");

function encodePrices(prices: ModelPrices): z.infer<typeof pricesSchema> {
  const { cachedInputPerMillionMicros: read, cacheWritePerMillionMicros: write } = prices;
  const { cacheWrite1hPerMillionMicros: write1h } = prices;
  return {
    input_per_million: microsToDollars(prices.inputPerMillionMicros),
    output_per_million: microsToDollars(prices.outputPerMillionMicros),
    ...(read === undefined ? {} : { cached_input_per_million: microsToDollars(read) }),
    ...(write === undefined ? {} : { cache_write_per_million: microsToDollars(write) }),
    ...(write1h === undefined ? {} : { cache_write_1h_per_million: microsToDollars(write1h) }),
  };
}

const encodeModel = (model: ModelDefinition): z.infer<typeof modelSchema> => ({
  name: model.name,
  targets: model.targets.map(({ prices, maxOutputTokens, ...target }) => ({
    ...target,
    ...(prices ? { prices: encodePrices(prices) } : {}),
    ...(maxOutputTokens === undefined ? {} : { max_output_tokens: maxOutputTokens }),
  })),
  strategy: model.strategy,
  hedge_after_ms: model.hedgeAfterMs,
  prices: encodePrices(model.prices),
  max_output_tokens: model.maxOutputTokens,
  context_tokens: model.contextTokens,
  created_at: model.createdAt.toISOString(),
  updated_at: model.updatedAt.toISOString(),
});

const EXAMPLE: z.infer<typeof modelSchema> = {
  name: "gpt-4o-mini",
  targets: [
    { provider: "openai", model: "gpt-4o-mini", weight: 1 },
    {
      provider: "azure",
      model: "gpt-4o-mini-eu",
      weight: 1,
      prices: { input_per_million: "0.165000", output_per_million: "0.660000" },
    },
  ],
  strategy: "ordered",
  hedge_after_ms: null,
  prices: {
    input_per_million: "0.150000",
    output_per_million: "0.600000",
    cached_input_per_million: "0.075000",
  },
  max_output_tokens: 16_384,
  context_tokens: 128_000,
  created_at: "2026-11-21T09:30:00.000Z",
  updated_at: "2026-11-21T09:30:00.000Z",
};

const params = z.object({
  name: z.string().openapi({
    description:
      "The name that clients use: up to 200 of A-Z, a-z, 0-9 and ._:/- where a slash may be sent as it is or as %2F",
    example: EXAMPLE.name,
  }),
});

/** Documented with `{name}`, routed so that a name may contain slashes. */
const PATH = "/v1/admin/models/{name}";
const ROUTED = { path: "/v1/admin/models/:name{.+}", hide: true };

const common = { tags: ["Admin"], security, description: "Super admins only." };

const putContract = createRoute({
  ...common,
  method: "put",
  path: PATH,
  summary: "Create or replace a model",
  description: `${common.description} A model is an alias for one or more targets at providers, with the prices that usage is charged by. When a target fails, the next one is asked; docs/failover.md says when.`,
  request: {
    params,
    ...jsonBody(putModelInput, {
      targets: [
        { provider: "openai", model: "gpt-4o-mini" },
        {
          provider: "azure",
          model: "gpt-4o-mini-eu",
          prices: { input_per_million: "0.165", output_per_million: "0.66" },
        },
      ],
      prices: {
        input_per_million: "0.15",
        output_per_million: "0.60",
        cached_input_per_million: "0.075",
      },
      max_output_tokens: 16_384,
    }),
  },
  responses: {
    200: jsonResponse("It was replaced", modelSchema, EXAMPLE),
    201: jsonResponse("It was created", modelSchema, EXAMPLE),
    ...problemResponses,
  },
});

const listContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/admin/models",
  summary: "List the models of the catalog",
  request: { query: pageQuery },
  responses: {
    200: jsonResponse("Models by name", pageOf(modelSchema), {
      data: [EXAMPLE],
      next_cursor: null,
    }),
    ...problemResponses,
  },
});

const getContract = createRoute({
  ...common,
  method: "get",
  path: PATH,
  summary: "Read a model",
  request: { params },
  responses: { 200: jsonResponse("The model", modelSchema, EXAMPLE), ...problemResponses },
});

const deleteContract = createRoute({
  ...common,
  method: "delete",
  path: PATH,
  summary: "Delete a model",
  request: { params },
  responses: { 204: noContent("It is gone"), ...problemResponses },
});

export const adminModelRoutes = createRouter()
  .openapi(listContract, async (c) => {
    const page = await listModelDefinitions(c.get("context"), c.req.valid("query"));
    return c.json({ data: page.items.map(encodeModel), next_cursor: page.nextCursor }, 200);
  })
  .openapi({ ...putContract, ...ROUTED }, async (c) => {
    const input = { ...c.req.valid("json"), name: c.req.valid("param").name };
    const { model, created } = await putModel(c.get("context"), input);
    return c.json(encodeModel(model), created ? 201 : 200);
  })
  .openapi({ ...getContract, ...ROUTED }, async (c) => {
    return c.json(encodeModel(await getModel(c.get("context"), c.req.valid("param"))), 200);
  })
  .openapi({ ...deleteContract, ...ROUTED }, async (c) => {
    await deleteModel(c.get("context"), c.req.valid("param"));
    return c.body(null, 204);
  });

for (const contract of [putContract, getContract, deleteContract])
  adminModelRoutes.openAPIRegistry.registerPath(contract);
