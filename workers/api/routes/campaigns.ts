import type { Campaign } from "#core/campaigns/campaign.ts";
import { anomaliesAnswer, toAnomaliesAnswer } from "#core/campaigns/anomaly-answer.ts";
import { changeAnswer, toChangeAnswer } from "#core/campaigns/change-answer.ts";
import { deleteCampaign } from "#core/campaigns/delete-campaign.ts";
import { explainChange, explainChangeInput } from "#core/campaigns/explain-change.ts";
import { findAnomalies, findAnomaliesInput } from "#core/campaigns/find-anomalies.ts";
import { getCampaign } from "#core/campaigns/get-campaign.ts";
import { benchmarkAnswer } from "#core/campaigns/benchmarks/benchmark.ts";
import { listBenchmarks, listBenchmarksInput } from "#core/campaigns/list-benchmarks.ts";
import { listCampaigns, listCampaignsInput } from "#core/campaigns/list-campaigns.ts";
import { metricsAnswer, toMetricsAnswer } from "#core/campaigns/metrics-answer.ts";
import { readMetrics, readMetricsInput } from "#core/campaigns/read-metrics.ts";
import {
  createRoute,
  createRouter,
  jsonResponse,
  noContent,
  pageOf,
  pageQuery,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";

const campaignSchema = z
  .object({
    id: z.string(),
    team_id: z.string(),
    platform: z.string().openapi({ example: "google_ads" }),
    external_id: z.string().nullable().openapi({ description: "The platform's own id of it" }),
    name: z.string(),
    channel: z.string().nullable(),
    currency: z.string().openapi({ description: "ISO 4217; XXX where no file said" }),
    first_day: z.string().nullable(),
    last_day: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("Campaign");

const encodeCampaign = (campaign: Campaign): z.infer<typeof campaignSchema> => ({
  id: campaign.id,
  team_id: campaign.teamId,
  platform: campaign.platform,
  external_id: campaign.externalId,
  name: campaign.name,
  channel: campaign.channel,
  currency: campaign.currency,
  first_day: campaign.firstDay,
  last_day: campaign.lastDay,
  created_at: campaign.createdAt.toISOString(),
  updated_at: campaign.updatedAt.toISOString(),
});

const tags = ["Campaigns"];
const params = z.object({ id: z.string() });
/** Metrics by day are long lists; a cursor holds a name of each group. */
const metricsPage = pageQuery.extend({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z.string().max(12_000).optional(),
});
const metricsSchema = metricsAnswer.openapi("CampaignMetrics");
const ABOUT_METRICS =
  "Needs the scope `skills`. Without `to` the period ends with the last day that has facts, without `from` it has 30 days. Ratios are made from sums and null where the denominator is 0 or no file says one of the two. Amounts of different currencies are never added up: a group has a row for each of its currencies. See docs/campaigns.md.";

const listContract = createRoute({
  method: "get",
  path: "/v1/campaigns",
  tags,
  summary: "List and search campaigns",
  description: "Needs the scope `skills`.",
  security,
  request: { query: pageQuery.extend(listCampaignsInput.shape), headers: teamHeader },
  responses: { 200: jsonResponse("Campaigns", pageOf(campaignSchema)), ...problemResponses },
});

const teamMetricsContract = createRoute({
  method: "get",
  path: "/v1/campaigns/metrics",
  tags,
  summary: "What all campaigns cost and brought",
  description: ABOUT_METRICS,
  security,
  request: { query: metricsPage.extend(readMetricsInput.shape), headers: teamHeader },
  responses: { 200: jsonResponse("Metrics", metricsSchema), ...problemResponses },
});

/** One campaign in place of all of them. */
const oneCampaign = z.object({ campaign_id: z.string().max(100).optional() });

const changesContract = createRoute({
  method: "get",
  path: "/v1/campaigns/changes",
  tags,
  summary: "What moved a ratio since the period before",
  description:
    "Needs the scope `skills`. Takes the change of CPA, ROAS or another ratio apart by platform and campaign, or by ad group where `campaign_id` is given, once for each currency. The parts, printed with six decimals, add up to the change exactly. See docs/campaigns.md.",
  security,
  request: { query: oneCampaign.extend(explainChangeInput.shape), headers: teamHeader },
  responses: {
    200: jsonResponse("The change and its parts", changeAnswer.openapi("CampaignChanges")),
    ...problemResponses,
  },
});

const anomaliesContract = createRoute({
  method: "get",
  path: "/v1/campaigns/anomalies",
  tags,
  summary: "Days that were unlike those before them",
  description:
    "Needs the scope `skills`. Compares each day of the period, which has 100 days at most, with the same weekday of the eight weeks before by median and median absolute deviation; each anomaly says what was expected and how it knows. See docs/campaigns.md.",
  security,
  request: { query: oneCampaign.extend(findAnomaliesInput.shape), headers: teamHeader },
  responses: {
    200: jsonResponse("Anomalies, the largest first", anomaliesAnswer.openapi("CampaignAnomalies")),
    ...problemResponses,
  },
});

const benchmarksContract = createRoute({
  method: "get",
  path: "/v1/campaigns/benchmarks",
  tags,
  summary: "What campaigns can be compared with",
  description:
    "Needs the scope `skills`. The team's own history, computed nightly, and published figures. Those disagree, so each has its source and period; `compare=benchmark` puts metrics beside them.",
  security,
  request: { query: listBenchmarksInput, headers: teamHeader },
  responses: {
    200: jsonResponse(
      "Benchmarks, the team's own first",
      z.object({ data: z.array(benchmarkAnswer.openapi("CampaignBenchmark")) }),
    ),
    ...problemResponses,
  },
});

const getContract = createRoute({
  method: "get",
  path: "/v1/campaigns/{id}",
  tags,
  summary: "One campaign",
  description: "Needs the scope `skills`.",
  security,
  request: { params, headers: teamHeader },
  responses: { 200: jsonResponse("The campaign", campaignSchema), ...problemResponses },
});

const deleteContract = createRoute({
  method: "delete",
  path: "/v1/campaigns/{id}",
  tags,
  summary: "Erase a campaign and all that was imported of it",
  description: "Needs the scope `admin`. The next import of a file that names it makes it anew.",
  security,
  request: { params, headers: teamHeader },
  responses: { 204: noContent("Erased"), ...problemResponses },
});

const metricsContract = createRoute({
  method: "get",
  path: "/v1/campaigns/{id}/metrics",
  tags,
  summary: "What a campaign cost and brought",
  description: ABOUT_METRICS,
  security,
  request: { params, query: metricsPage.extend(readMetricsInput.shape), headers: teamHeader },
  responses: { 200: jsonResponse("Metrics", metricsSchema), ...problemResponses },
});

export const campaignRoutes = createRouter()
  .openapi(listContract, async (c) => {
    const query = c.req.valid("query");
    const page = await listCampaigns(c.get("context"), query, query);
    return c.json({ data: page.items.map(encodeCampaign), next_cursor: page.nextCursor }, 200);
  })
  .openapi(teamMetricsContract, async (c) => {
    const query = c.req.valid("query");
    return c.json(toMetricsAnswer(await readMetrics(c.get("context"), query, query)), 200);
  })
  .openapi(changesContract, async (c) => {
    const explained = await explainChange(c.get("context"), c.req.valid("query"));
    return c.json(toChangeAnswer(explained), 200);
  })
  .openapi(anomaliesContract, async (c) => {
    const found = await findAnomalies(c.get("context"), c.req.valid("query"));
    return c.json(toAnomaliesAnswer(found), 200);
  })
  .openapi(benchmarksContract, async (c) => {
    const data = await listBenchmarks(c.get("context"), c.req.valid("query"));
    return c.json({ data }, 200);
  })
  .openapi(getContract, async (c) => {
    const { id: campaignId } = c.req.valid("param");
    return c.json(encodeCampaign(await getCampaign(c.get("context"), { campaignId })), 200);
  })
  .openapi(deleteContract, async (c) => {
    const { id: campaignId } = c.req.valid("param");
    await deleteCampaign(c.get("context"), { campaignId });
    return c.body(null, 204);
  })
  .openapi(metricsContract, async (c) => {
    const query = c.req.valid("query");
    const input = { ...query, campaign_id: c.req.valid("param").id };
    return c.json(toMetricsAnswer(await readMetrics(c.get("context"), input, query)), 200);
  });
