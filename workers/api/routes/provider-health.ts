import { listTargetHealth } from "#core/providers/circuits/list-target-health.ts";
import { configuredService, catalogSources } from "../model-gateway.ts";
import {
  createRoute,
  createRouter,
  jsonResponse,
  problemResponses,
  security,
  z,
} from "../openapi.ts";

const targetSchema = z
  .object({
    provider: z.string(),
    target_model: z.string().nullable().openapi({ description: "For super admins only" }),
    models: z.array(z.string()),
    state: z.enum(["closed", "half_open", "open"]),
    since: z.string(),
    requests: z.number().int().openapi({ description: "In the circuit's window" }),
    error_rate: z.number().nullable(),
    p50_ms: z.number().nullable(),
    p95_ms: z.number().nullable(),
    last_error: z.string().nullable(),
  })
  .openapi("TargetHealth");

const contract = createRoute({
  method: "get",
  path: "/v1/providers/health",
  tags: ["Operations"],
  summary: "How the targets of your models are",
  description:
    "States of circuits are shared between isolates; rates and latencies are those of the isolate that answers.",
  security,
  responses: {
    200: jsonResponse(
      "Targets of the catalog's models",
      z.object({ data: z.array(targetSchema) }),
      {
        data: [
          {
            provider: "openai",
            target_model: "gpt-4o-mini",
            models: ["fast"],
            state: "closed",
            since: "2026-11-21T09:30:00.000Z",
            requests: 120,
            error_rate: 0.01,
            p50_ms: 430,
            p95_ms: 1_250,
            last_error: null,
          },
        ],
      },
    ),
    ...problemResponses,
  },
});

export const providerHealthRoutes = createRouter().openapi(contract, async (c) => {
  const { catalog, circuits } = c.get("deps");
  const board = { circuits, now: Date.now() };
  const all = await catalog.get(catalogSources(c));
  const targets = listTargetHealth(c.get("principal"), all, configuredService(c), board);
  const data = targets.map((target) => ({
    provider: target.provider,
    target_model: target.targetModel,
    models: target.models,
    state: target.state,
    since: new Date(target.since).toISOString(),
    requests: target.requests,
    error_rate: target.errorRate,
    p50_ms: target.p50Ms,
    p95_ms: target.p95Ms,
    last_error: target.lastError,
  }));
  return c.json({ data }, 200);
});
