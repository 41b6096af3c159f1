import {
  type CreditGrant,
  grantCredits,
  grantCreditsInput,
  type Granted,
} from "#core/limits/grant-credits.ts";
import { listCredits } from "#core/limits/list-credits.ts";
import { microsToAmount } from "#core/kernel/money.ts";
import { idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  jsonBody,
  jsonResponse,
  pageOf,
  pageQuery,
  problemResponses,
  security,
  z,
} from "../openapi.ts";
import { teamParam } from "./teams.ts";

const grantSchema = z
  .object({
    id: z.string(),
    kind: z.enum(["grant", "refill"]),
    amount: z.string(),
    reason: z.string(),
    created_by: z.string(),
    created_at: z.string(),
  })
  .openapi("CreditGrant");

const grantedSchema = grantSchema
  .extend({
    total: z.string().openapi({ description: "All that was granted and refilled until now" }),
    refill: z.object({ amount: z.string(), every: z.enum(["day", "week", "month"]) }).nullable(),
  })
  .openapi("GrantedCredits");

const encodeGrant = (grant: CreditGrant): z.infer<typeof grantSchema> => ({
  id: grant.id,
  kind: grant.kind,
  amount: microsToAmount(grant.amountMicros),
  reason: grant.reason,
  created_by: grant.createdBy,
  created_at: grant.createdAt.toISOString(),
});

const encodeGranted = ({ grant, credits }: Granted): z.infer<typeof grantedSchema> => ({
  ...encodeGrant(grant),
  total: microsToAmount(credits.max),
  refill:
    credits.refillAmount === null || credits.refillEvery === null
      ? null
      : { amount: microsToAmount(credits.refillAmount), every: credits.refillEvery },
});

const common = { tags: ["Limits"], security };

const grantContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/teams/{id}/credits",
  summary: "Grant a team prepaid credits (super admin)",
  description:
    "From the first grant on, the team spends no more than it was granted. With `refill`, the amount is added at the start of each day, week or month by UTC.",
  request: {
    params: teamParam,
    headers: idempotencyHeader,
    ...jsonBody(grantCreditsInput, { amount: "100.00", reason: "Invoice 2026-117" }),
  },
  responses: { 201: jsonResponse("The grant", grantedSchema), ...problemResponses },
});

const listContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/teams/{id}/credits",
  summary: "List what a team was granted",
  description: "Needs the scope `admin`. Refills are written with the next grant.",
  request: { params: teamParam, query: pageQuery },
  responses: {
    200: jsonResponse("Grants and refills, the newest first", pageOf(grantSchema)),
    ...problemResponses,
  },
});

export const creditRoutes = createRouter()
  .openapi(grantContract, async (c) => {
    const input = { ...c.req.valid("json"), teamId: c.req.valid("param").id };
    const { body } = await idempotent(c, async (context) => ({
      status: 201,
      body: encodeGranted(await grantCredits(context, input)),
    }));
    return c.json(body, 201);
  })
  .openapi(listContract, async (c) => {
    const input = { ...c.req.valid("query"), teamId: c.req.valid("param").id };
    const page = await listCredits(c.get("context"), input);
    return c.json({ data: page.items.map(encodeGrant), next_cursor: page.nextCursor }, 200);
  });
