import { estimateRequestTokens } from "#core/gateway/shapes/anthropic-messages/count-tokens.ts";
import { readResponsesRequest } from "#core/gateway/shapes/responses/read-request.ts";
import { ResponseEvents } from "#core/gateway/shapes/responses/response-events.ts";
import { writeResponse } from "#core/gateway/shapes/responses/response.ts";
import type { ModelCall } from "#core/gateway/model-call.ts";
import { answerInShape, type ShapedRequest } from "../model-answer.ts";
import { createRouter, problemResponses, security, z } from "../openapi.ts";

const openAiObject = z.looseObject({});

export const responsesRoutes = createRouter();

responsesRoutes.openAPIRegistry.registerPath({
  method: "post",
  path: "/v1/responses",
  tags: ["OpenAI-compatible"],
  summary: "Create a response",
  description:
    "OpenAI's Responses API for any model, streamed or not, with tools of the type function. Responses are not kept: `store` is answered with false, and `previous_response_id` is refused; see docs/clients.md.",
  security,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.looseObject({
            model: z.string(),
            input: z.union([z.string(), z.array(openAiObject)]),
            instructions: z.string().nullish(),
            stream: z.boolean().nullish(),
          }),
          example: { model: "builtin", input: "Hello" },
        },
      },
    },
  },
  responses: {
    200: {
      description: "The response, or its events",
      content: {
        "application/json": { schema: openAiObject },
        "text/event-stream": { schema: z.string() },
      },
    },
    ...problemResponses,
  },
});

responsesRoutes.post("/v1/responses", (c) => answerInShape(c, readShaped));

function readShaped(text: string, call: ModelCall): ShapedRequest {
  const { chat, body } = readResponsesRequest(text);
  const frame = {
    requestId: call.requestId,
    createdAt: Math.floor(call.receivedAt / 1000),
    body,
    estimateInput: () => estimateRequestTokens(chat),
  };
  return {
    chat,
    writeWhole: (completion) => writeResponse(completion, frame),
    writeEvents: () => new ResponseEvents(frame),
  };
}
