import { estimateRequestTokens } from "#core/gateway/shapes/anthropic-messages/count-tokens.ts";
import { unsupported } from "#core/gateway/shapes/fields.ts";
import { readResponsesRequest } from "#core/gateway/shapes/responses/read-request.ts";
import { ResponseEvents } from "#core/gateway/shapes/responses/response-events.ts";
import { type ResponseFrame, writeResponse } from "#core/gateway/shapes/responses/response.ts";
import type { ModelCall } from "#core/gateway/model-call.ts";
import { AppError } from "#core/kernel/errors.ts";
import { deleteResponse } from "#core/responses/delete-response.ts";
import { getResponse } from "#core/responses/get-response.ts";
import { keepResponse } from "#core/responses/keep-response.ts";
import { listInputItems, listInputItemsInput } from "#core/responses/list-input-items.ts";
import { nameResponse } from "#core/responses/response-id.ts";
import type { AppContext } from "../app-types.ts";
import { readAsked, responsePorts } from "../asked-response.ts";
import { answerInShape, type ShapedRequest } from "../model-answer.ts";
import {
  createRoute,
  createRouter,
  jsonResponse,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";

const openAiObject = z.looseObject({});

export const responsesRoutes = createRouter();

responsesRoutes.openAPIRegistry.registerPath({
  method: "post",
  path: "/v1/responses",
  tags: ["OpenAI-compatible"],
  summary: "Create a response",
  description:
    "OpenAI's Responses API for any model, streamed or not, with tools of the type function. A response is kept for RESPONSE_DAYS, so that `previous_response_id` can go on from it, unless `store` is false; see docs/clients.md.",
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
            previous_response_id: z.string().nullish(),
            store: z.boolean().nullish(),
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

responsesRoutes.post("/v1/responses", (c) =>
  answerInShape(c, (text, call) => readShaped(c, text, call)),
);

async function readShaped(c: AppContext, text: string, call: ModelCall): Promise<ShapedRequest> {
  const { body, inputMasked, previousId, store, earlier, said } = await readAsked(c, text, call);
  const { previous, input } = earlier;
  const chat = readResponsesRequest(body, said);
  const name = nameResponse(call.requestId, previous);
  const { teamId, endUser: named } = call;
  const endUser = named ?? chat.user;
  const origin = { name, previousId, teamId, endUser, input, log: c.get("log") };
  const keeps = store && c.get("deps").settings.RESPONSE_DAYS > 0;
  const frame: ResponseFrame = {
    rest: name.rest,
    previousId,
    createdAt: Math.floor(call.receivedAt / 1000),
    body,
    keep: keeps ? (response) => keepResponse(responsePorts(c), origin, response) : null,
    estimateInput: () => estimateRequestTokens(chat),
  };
  return {
    chat,
    inputMasked,
    writeWhole: (completion) => writeResponse(completion, frame),
    writeEvents: () => new ResponseEvents(frame),
  };
}

const idParam = z.object({ id: z.string() });
const kept = {
  tags: ["OpenAI-compatible"],
  security,
  request: { params: idParam, headers: teamHeader },
};

responsesRoutes.openAPIRegistry.registerPath({
  ...kept,
  method: "get",
  path: "/v1/responses/{id}",
  summary: "A response that is kept",
  responses: {
    200: {
      description: "The response, as it was answered",
      content: { "application/json": { schema: openAiObject } },
    },
    ...problemResponses,
  },
});

// OpenAI's clients can also open a WebSocket here, and some look for a list, of which OpenAI has none either.
responsesRoutes.get("/v1/responses", () => {
  throw new AppError("method_not_allowed", {
    message:
      "Responses are made by POST here, streamed by server-sent events; there is no WebSocket, and no list of them. GET /v1/responses/{id} reads one.",
    headers: { allow: "POST" },
  });
});

responsesRoutes.get("/v1/responses/:id", async (c) => {
  if (c.req.query("stream") === "true")
    throw unsupported("stream", "a response that is kept comes in one piece; leave it out.");
  const text = await getResponse(c.get("context"), responsePorts(c), {
    responseId: c.req.param("id"),
  });
  return c.body(text, 200, { "content-type": "application/json" });
});

responsesRoutes.openapi(
  createRoute({
    ...kept,
    method: "delete",
    path: "/v1/responses/{id}",
    summary: "Erase a response that is kept",
    description:
      "Its text and its input are gone at once. Responses that go on from it stay, and nothing can go on from them any more.",
    responses: {
      200: jsonResponse(
        "It is gone",
        z.object({ id: z.string(), object: z.literal("response"), deleted: z.literal(true) }),
      ),
      ...problemResponses,
    },
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    await deleteResponse(c.get("context"), responsePorts(c), { responseId: id });
    return c.json({ id, object: "response" as const, deleted: true as const }, 200);
  },
);

responsesRoutes.openapi(
  createRoute({
    ...kept,
    method: "post",
    path: "/v1/responses/{id}/cancel",
    summary: "Refused: there are no responses in the background",
    description:
      "Answers are given at once here, so that a response that is there has ended: 400. Close the connection to end one that is being streamed.",
    responses: problemResponses,
  }),
  async (c) => {
    await getResponse(c.get("context"), responsePorts(c), { responseId: c.req.valid("param").id });
    throw new AppError("invalid_request", {
      message:
        "This response has ended and cannot be cancelled: answers are given at once here. To end one that is being streamed, close its connection.",
    });
  },
);

responsesRoutes.openapi(
  createRoute({
    ...kept,
    method: "get",
    path: "/v1/responses/{id}/input_items",
    summary: "What a response was made of",
    description: "All that was said before it in its chain, and its own input.",
    request: { ...kept.request, query: listInputItemsInput },
    responses: {
      200: jsonResponse(
        "Items, the last first unless the order says otherwise",
        z.object({
          object: z.literal("list"),
          data: z.array(openAiObject),
          first_id: z.string().nullable(),
          last_id: z.string().nullable(),
          has_more: z.boolean(),
        }),
      ),
      ...problemResponses,
    },
  }),
  async (c) => {
    const input = { ...c.req.valid("query"), responseId: c.req.valid("param").id };
    const { items, hasMore } = await listInputItems(c.get("context"), responsePorts(c), input);
    const idAt = (index: number) => {
      const id = items.at(index)?.["id"];
      return typeof id === "string" ? id : null;
    };
    return c.json(
      {
        object: "list" as const,
        data: items,
        first_id: idAt(0),
        last_id: idAt(-1),
        has_more: hasMore,
      },
      200,
    );
  },
);
