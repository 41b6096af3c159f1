import { askAnswer, suggestedQuestion, toAskAnswer } from "#core/campaigns/ask-answer.ts";
import { askCampaigns, askCampaignsInput } from "#core/campaigns/ask-campaigns.ts";
import { suggestQuestions, suggestQuestionsInput } from "#core/campaigns/suggest-questions.ts";
import { callOf, endUserOf, gatewayPorts } from "../model-gateway.ts";
import {
  createRoute,
  createRouter,
  jsonBody,
  jsonResponse,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";
import { sessionPorts } from "../session-ports.ts";

const tags = ["Campaigns"];

const suggestedContract = createRoute({
  method: "get",
  path: "/v1/campaigns/suggested-questions",
  tags,
  summary: "Questions that make sense for what was imported",
  description:
    "Needs the scope `skills`. Each of them can be answered without a model. Empty where nothing was imported.",
  security,
  request: { query: suggestQuestionsInput, headers: teamHeader },
  responses: {
    200: jsonResponse("Questions", z.object({ data: z.array(suggestedQuestion) })),
    ...problemResponses,
  },
});

const askContract = createRoute({
  method: "post",
  path: "/v1/campaigns/ask",
  tags,
  summary: "Ask about campaigns in words",
  description: `Needs the scope \`skills\`, and \`chat\` for a model to answer. The model answers with tools over the metrics (the verbs behind the other routes, never SQL of its own); what it costs counts as any chat does. Each number of the answer is traced to a query in \`sources\`. One that cannot be traced is removed: \`[…]\` stands in its place, \`removed\` lists it, and \`flagged\` is true.

Without a model, and while its provider is down, the suggested questions are answered by rules.`,
  security,
  request: {
    ...jsonBody(askCampaignsInput, { question: "Why did the CPA change?" }),
    headers: teamHeader,
  },
  responses: {
    200: jsonResponse("The answer and what it rests on", askAnswer.openapi("CampaignAnswer")),
    ...problemResponses,
  },
});

export const campaignQuestionRoutes = createRouter()
  .openapi(suggestedContract, async (c) => {
    const data = await suggestQuestions(c.get("context"), c.req.valid("query"));
    return c.json({ data }, 200);
  })
  .openapi(askContract, async (c) => {
    const asked = callOf(c, { endUser: null });
    const call = { ...asked, endUser: endUserOf(asked, null) };
    const ports = { gateway: gatewayPorts(c), defaultModel: sessionPorts(c).defaultModel };
    const answer = await askCampaigns(c.get("context"), ports, call, c.req.valid("json"));
    return c.json(toAskAnswer(answer), 200);
  });
