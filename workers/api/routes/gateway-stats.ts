import { listTargetHealth } from "#core/providers/circuits/list-target-health.ts";
import { hitRatio } from "#core/usage/hit-ratio.ts";
import { gatewayStatsInput, readGatewayStats } from "#core/usage/stats/read-gateway-stats.ts";
import type { Figures, Quantiles } from "#core/usage/stats/sum-stats.ts";
import type { AppContext } from "../app-types.ts";
import { catalogSources, configuredService } from "../model-gateway.ts";
import {
  createRoute,
  createRouter,
  jsonResponse,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";

const quantiles = z.object({
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
});
const requests = z.number().int();

const figures = z.object({
  requests,
  errors: requests.openapi({ description: "Requests with a status from 400 on" }),
  latency_ms: quantiles.openapi({
    description: "Of requests that were answered, until the end of the answer; within 5 %",
  }),
  first_token_ms: quantiles.openapi({ description: "Of streams, until their first token" }),
  cache: z
    .object({ hits: requests, misses: requests, hit_ratio: z.number().nullable() })
    .openapi({ description: "The response cache, among requests that asked it" }),
});

const statsSchema = figures
  .extend({
    from: z.string().openapi({ description: "Inclusive, a whole minute" }),
    to: z.string(),
    as_of: z.string().openapi({
      description: "Requests that had ended some seconds before this are counted",
    }),
    newest_minute: z.string().nullable().openapi({
      description: "In which the newest counted request came in; null where there was none",
    }),
    team_id: z.string().nullable().openapi({ description: "Null for all teams together" }),
    errors_by_status: z.array(
      z.object({ status: z.number().int(), code: z.string().nullable(), requests }),
    ),
    limits_hit: z.object({
      requests: requests.openapi({ description: "Requests that a limit refused" }),
      by_limit: z.array(z.object({ unit: z.string(), window: z.string().nullable(), requests })),
    }),
    guard_rails: z
      .object({
        input_denied: requests.openapi({ description: "Requests that a rule refused" }),
        input_masked: requests.openapi({ description: "Requests that went on with masked text" }),
        output_denied: requests.openapi({ description: "Answers that a rule ended" }),
        output_masked: requests.openapi({ description: "Answers that went on with masked text" }),
      })
      .openapi({ description: "What guard rails did; a request may be in several" }),
    models: z.array(figures.extend({ model: z.string().nullable() })),
    providers: z.array(figures.omit({ cache: true }).extend({ provider: z.string() })),
    circuits: z.object({
      closed: z.number().int(),
      half_open: z.number().int(),
      open: z.number().int(),
      not_closed: z.array(
        z.object({
          provider: z.string(),
          target_model: z.string().nullable().openapi({ description: "For super admins only" }),
          models: z.array(z.string()),
          state: z.enum(["half_open", "open"]),
          since: z.string(),
          last_error: z.string().nullable(),
        }),
      ),
    }),
  })
  .openapi("GatewayStats");

const contract = createRoute({
  method: "get",
  path: "/gateway/stats",
  tags: ["Operations"],
  summary: "What went through the gateway within the last hour",
  description:
    "The running minute and the 59 before it, of your team; for super admins of all teams together, or of the one they name. Requests count when they came in, a few seconds after they ended. See docs/stats.md.",
  security,
  request: { query: gatewayStatsInput, headers: teamHeader },
  responses: { 200: jsonResponse("The figures", statsSchema), ...problemResponses },
});

const encodeQuantiles = ({ p50, p95, p99 }: Quantiles) => ({
  p50: rounded(p50),
  p95: rounded(p95),
  p99: rounded(p99),
});
const rounded = (ms: number | null) => (ms === null ? null : Math.round(ms * 10) / 10);

const encodeReached = (of: Figures) => ({
  requests: of.requests,
  errors: of.errors,
  latency_ms: encodeQuantiles(of.latency),
  first_token_ms: encodeQuantiles(of.firstToken),
});

const encodeFigures = (of: Figures) => ({
  ...encodeReached(of),
  cache: { hits: of.cached, misses: of.cacheMisses, hit_ratio: hitRatio(of) },
});

/** The circuits of the models that the principal may use. */
async function circuitsOf(c: AppContext): Promise<z.infer<typeof statsSchema>["circuits"]> {
  const { catalog, circuits } = c.get("deps");
  const all = await catalog.get(catalogSources(c));
  const board = { circuits, now: Date.now() };
  const targets = listTargetHealth(c.get("principal"), all, configuredService(c), board);
  const count = { closed: 0, half_open: 0, open: 0 };
  for (const { state } of targets) count[state]++;
  const notClosed = targets.flatMap(({ state, ...target }) =>
    state === "closed"
      ? []
      : [
          {
            provider: target.provider,
            target_model: target.targetModel,
            models: target.models,
            state,
            since: new Date(target.since).toISOString(),
            last_error: target.lastError,
          },
        ],
  );
  return { ...count, not_closed: notClosed };
}

export const gatewayStatsRoutes = createRouter().openapi(contract, async (c) => {
  const stats = await readGatewayStats(c.get("context"), c.req.valid("query"));
  const refused = stats.refusedBy.reduce((sum, limit) => sum + limit.requests, 0);
  const asOf = stats.asOf.toISOString();
  return c.json(
    {
      from: stats.from.toISOString(),
      to: asOf,
      as_of: asOf,
      newest_minute: stats.newestMinute?.toISOString() ?? null,
      team_id: stats.teamId,
      ...encodeFigures(stats),
      errors_by_status: stats.errorsBy,
      limits_hit: { requests: refused, by_limit: stats.refusedBy },
      guard_rails: stats.guardRails,
      models: stats.models.map(({ model, ...of }) => ({ model, ...encodeFigures(of) })),
      providers: stats.providers.map(({ provider, ...of }) => ({ provider, ...encodeReached(of) })),
      circuits: await circuitsOf(c),
    },
    200,
  );
});
