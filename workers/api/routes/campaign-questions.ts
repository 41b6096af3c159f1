import { askAnswer, suggestedQuestion, toAskAnswer } from "#core/campaigns/ask-answer.ts";
import {
  askCampaigns,
  type AskCampaignsInput,
  askCampaignsInput,
} from "#core/campaigns/ask-campaigns.ts";
import { suggestQuestions, suggestQuestionsInput } from "#core/campaigns/suggest-questions.ts";
import { askCampaignsSkill } from "#core/skills/campaigns/ask.ts";
import { countUse } from "#core/skills/use-skill.ts";
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
import { askCall, askPorts, skillHost } from "../skill-host.ts";

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
    const call = askCall(c);
    const use = { skill: askCampaignsSkill, call };
    const input = () => c.req.valid("json");
    const work = (asked: AskCampaignsInput) =>
      askCampaigns(c.get("context"), askPorts(c), call, asked);
    // Another way to the skill: its switch and limits hold here too.
    const answer = countUse(skillHost(c), use, { input, work });
    c.executionCtx.waitUntil(answer.catch(() => undefined)); // goes on when the client hangs up, so that it is accounted for
    return c.json(toAskAnswer(await answer), 200);
  });
