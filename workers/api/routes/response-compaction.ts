import { allowedRoute } from "#core/gateway/complete-chat.ts";
import { readModel } from "#core/gateway/chat-request.ts";
import type { ModelCall } from "#core/gateway/model-call.ts";
import { estimateRequestTokens } from "#core/gateway/shapes/anthropic-messages/count-tokens.ts";
import { isAbsent } from "#core/gateway/shapes/fields.ts";
import { compactionRequest, writeCompaction } from "#core/gateway/shapes/responses/compaction.ts";
import { readResponsesRequest } from "#core/gateway/shapes/responses/read-request.ts";
import { requireScope } from "#core/kernel/principal.ts";
import { keptInput } from "#core/responses/input-items.ts";
import { sealSummary } from "#core/responses/summaries.ts";
import type { AppContext } from "../app-types.ts";
import { allSaid, readAsked } from "../asked-response.ts";
import { answerInShape, type ShapedRequest } from "../model-answer.ts";
import { gatewayPorts, modelCall } from "../model-gateway.ts";
import { createRouter, problemResponses, security, z } from "../openapi.ts";

/** What OpenAI's clients do with a conversation before they send it: count it, and put it in short. */
export const responseCompactionRoutes = createRouter();

const openAiObject = z.looseObject({});
const conversation = {
  input: z.union([z.string(), z.array(openAiObject)]).nullish(),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
};

responseCompactionRoutes.openAPIRegistry.registerPath({
  method: "post",
  path: "/v1/responses/input_tokens",
  tags: ["OpenAI-compatible"],
  summary: "Estimate the tokens of a response's input",
  description:
    "An estimate of ours, made without asking the model, with what `previous_response_id` goes on from. It costs nothing and makes no usage record.",
  security,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.looseObject({
            ...conversation,
            model: z.string().nullish(),
            tools: z.array(openAiObject).nullish(),
          }),
          example: { model: "builtin", input: "Hello" },
        },
      },
    },
  },
  responses: {
    200: {
      description: "The estimate",
      content: {
        "application/json": {
          schema: z.object({
            object: z.literal("response.input_tokens"),
            input_tokens: z.number().int(),
          }),
        },
      },
    },
    ...problemResponses,
  },
});

responseCompactionRoutes.post("/v1/responses/input_tokens", async (c) => {
  requireScope(c.get("principal"), "chat");
  const text = await c.req.text();
  const call = await modelCall(c, { endUser: null });
  const { body, said } = await readAsked(c, text, call);
  const model = isAbsent(body["model"]) ? null : readModel(body);
  if (model !== null) await allowedRoute(gatewayPorts(c), call, model);
  const chat = readResponsesRequest({ ...body, model: model ?? "any" }, allSaid(said));
  return c.json({ object: "response.input_tokens", input_tokens: estimateRequestTokens(chat) });
});

responseCompactionRoutes.openAPIRegistry.registerPath({
  method: "post",
  path: "/v1/responses/compact",
  tags: ["OpenAI-compatible"],
  summary: "Put a conversation in short",
  description:
    "The model writes a summary, which counts as any request of it does. The answer's `output` takes the conversation's place in the `input` of later requests: what the user said, and the summary, sealed for your team. See docs/clients.md.",
  security,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.looseObject({ ...conversation, model: z.string() }),
          example: { model: "builtin", input: "Hello" },
        },
      },
    },
  },
  responses: {
    200: {
      description: "The conversation in short",
      content: { "application/json": { schema: openAiObject } },
    },
    ...problemResponses,
  },
});

responseCompactionRoutes.post("/v1/responses/compact", (c) =>
  answerInShape(c, (text, call) => readCompaction(c, text, call)),
);

async function readCompaction(
  c: AppContext,
  text: string,
  call: ModelCall,
): Promise<ShapedRequest> {
  const { body, inputMasked, earlier, said } = await readAsked(c, text, call);
  const chat = compactionRequest(body, allSaid(said));
  const rest = call.requestId.slice("req_".length);
  const { secrets } = c.get("deps");
  const frame = {
    rest,
    createdAt: Math.floor(call.receivedAt / 1000),
    items: [...earlier.items, ...keptInput(earlier.input, rest)],
    seal: (summary: string) => sealSummary(secrets, call.teamId, summary),
    estimateInput: () => estimateRequestTokens(chat),
  };
  return {
    chat,
    inputMasked,
    writeWhole: (completion) => writeCompaction(completion, frame),
    writeEvents: null,
  };
}
