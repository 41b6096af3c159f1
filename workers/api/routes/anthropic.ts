import {
  estimateRequestTokens,
  readCountRequest,
} from "#core/gateway/shapes/anthropic-messages/count-tokens.ts";
import { MessageEvents } from "#core/gateway/shapes/anthropic-messages/message-events.ts";
import { readMessagesRequest } from "#core/gateway/shapes/anthropic-messages/read-request.ts";
import { writeMessage } from "#core/gateway/shapes/anthropic-messages/write-message.ts";
import { allowedRoute } from "#core/gateway/complete-chat.ts";
import type { ModelCall } from "#core/gateway/model-call.ts";
import { requireScope } from "#core/kernel/principal.ts";
import { answerInShape, type ShapedRequest } from "../model-answer.ts";
import { gatewayPorts, modelCall } from "../model-gateway.ts";
import { createRouter, security, z } from "../openapi.ts";

/** Bodies of these routes are Anthropic's own, so their contracts stay open. */
const anthropicObject = z.looseObject({});
const conversation = {
  model: z.string(),
  messages: z.array(anthropicObject).min(1),
  system: z.union([z.string(), z.array(anthropicObject)]).optional(),
  tools: z.array(anthropicObject).optional(),
};
const hello = { model: "builtin", messages: [{ role: "user", content: "Hello" }] };

const errorResponses = {
  default: {
    description: "An error in Anthropic's shape",
    content: {
      "application/json": {
        schema: z.object({
          type: z.literal("error"),
          error: z.object({ type: z.string(), message: z.string() }),
          request_id: z.string(),
        }),
      },
    },
  },
} as const;

export const anthropicRoutes = createRouter();

anthropicRoutes.use("/v1/messages/*", async (c, next) => {
  await next();
  c.res.headers.set("request-id", c.get("requestId"));
});

anthropicRoutes.openAPIRegistry.registerPath({
  method: "post",
  path: "/v1/messages",
  tags: ["Anthropic-compatible"],
  summary: "Create a message",
  description:
    "Anthropic's Messages API for any model, streamed or not. Knobs that chat completions do not have are ignored where they only tune, and refused where they would change what the answer means; see docs/clients.md.",
  security,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.looseObject({
            ...conversation,
            max_tokens: z.number().int().min(1),
            stream: z.boolean().optional(),
          }),
          example: { ...hello, max_tokens: 1024 },
        },
      },
    },
  },
  responses: {
    200: {
      description: "The message, or its events",
      content: {
        "application/json": { schema: anthropicObject },
        "text/event-stream": { schema: z.string() },
      },
    },
    ...errorResponses,
  },
});

anthropicRoutes.post("/v1/messages", (c) => {
  const betas = c.req.header("anthropic-beta") ?? null;
  return answerInShape(c, (body, call) => readShaped(body, call, betas));
});

function readShaped(body: string, call: ModelCall, betas: string | null): ShapedRequest {
  const chat = readMessagesRequest(body, betas);
  const frame = {
    requestId: call.requestId,
    model: chat.model,
    estimateInput: () => estimateRequestTokens(chat),
  };
  return {
    chat,
    writeWhole: (completion) => writeMessage(completion, frame),
    writeEvents: () => new MessageEvents(frame),
  };
}

anthropicRoutes.openAPIRegistry.registerPath({
  method: "post",
  path: "/v1/messages/count_tokens",
  tags: ["Anthropic-compatible"],
  summary: "Estimate the tokens of a message",
  description:
    "An estimate of ours, made without asking the model: it counts as OpenAI's tokenizers do, a fixed number for each picture, and nothing for files. It costs nothing and makes no usage record.",
  security,
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: z.looseObject(conversation), example: hello } },
    },
  },
  responses: {
    200: {
      description: "The estimate",
      content: { "application/json": { schema: z.object({ input_tokens: z.number().int() }) } },
    },
    ...errorResponses,
  },
});

anthropicRoutes.post("/v1/messages/count_tokens", async (c) => {
  requireScope(c.get("principal"), "chat");
  const request = readCountRequest(await c.req.text());
  const call = await modelCall(c, { endUser: null });
  await allowedRoute(gatewayPorts(c), call, request.model);
  return c.json({ input_tokens: estimateRequestTokens(request) });
});
