import { checkReadiness } from "#platform/readiness.ts";
import { VERSION } from "#core/kernel/version.ts";
import { createRoute, createRouter, jsonResponse, z } from "../openapi.ts";

const healthSchema = z
  .object({
    status: z.literal("healthy"),
    service: z.literal("api"),
    version: z.string(),
    timestamp: z.string(),
  })
  .openapi("Health");

const dependencySchema = z.object({
  status: z.enum(["ok", "failing", "not_configured", "unknown"]),
  latencyMs: z.number().nullable(),
  detail: z.string().optional(),
  checkedAt: z.string().optional(),
});

const readinessSchema = z
  .object({
    status: z.enum(["ready", "degraded", "not_ready"]),
    service: z.literal("api"),
    version: z.string(),
    timestamp: z.string(),
    schema: z.object({ expected: z.number(), actual: z.number().nullable() }),
    dependencies: z.record(z.string(), dependencySchema),
    circuits: z
      .object({ closed: z.number(), half_open: z.number(), open: z.number() })
      .openapi({ description: "Of providers' models, as this isolate sees them; for information" }),
  })
  .openapi("Readiness");

export const healthRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/health",
      tags: ["Operations"],
      summary: "Whether the Worker runs; touches nothing",
      responses: { 200: jsonResponse("It runs", healthSchema) },
    }),
    (c) =>
      c.json(
        {
          status: "healthy" as const,
          service: "api" as const,
          version: VERSION,
          timestamp: new Date().toISOString(),
        },
        200,
      ),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/ready",
      tags: ["Operations"],
      summary: "Whether it can serve: the database, the schema, and what it depends on",
      responses: {
        200: jsonResponse("It can serve; what is degraded says so", readinessSchema),
        503: jsonResponse("The database or its schema is not there", readinessSchema),
      },
    }),
    async (c) => {
      const { settings, cache, circuits } = c.get("deps");
      const readiness = await checkReadiness({ settings, cache });
      return c.json(
        {
          ...readiness,
          service: "api" as const,
          version: VERSION,
          circuits: circuits.counts(Date.now()),
        },
        readiness.status === "not_ready" ? 503 : 200,
      );
    },
  );
