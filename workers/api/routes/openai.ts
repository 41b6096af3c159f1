import { completeChat } from "#core/gateway/complete-chat.ts";
import { withFailureRecord } from "#core/gateway/failure-record.ts";
import { parseChatRequest } from "#core/gateway/chat-request.ts";
import { modelInfo, modelPage } from "#core/gateway/shapes/anthropic-messages/model-page.ts";
import { embed, parseEmbeddingsRequest } from "#core/gateway/embed.ts";
import type { AppError } from "#core/kernel/errors.ts";
import { requireScope } from "#core/kernel/principal.ts";
import { modelNotFound } from "#core/providers/catalog.ts";
import { type ListedModel, listModels } from "#core/providers/list-models.ts";
import { discoverModels } from "#platform/model-discovery.ts";
import type { AppContext } from "../app-types.ts";
import {
  catalogSources,
  configuredService,
  endUserOf,
  gatewayPorts,
  modelCall,
} from "../model-gateway.ts";
import { answerResponse } from "../model-answer.ts";
import { createRouter, problemResponses, security, z } from "../openapi.ts";
import { isAnthropicRequest, openAiErrorBody } from "../problem.ts";

/** Bodies of these routes are OpenAI's own; what we do not know passes through, so their contracts stay open. */
const openAiObject = z.looseObject({});

export const openAiRoutes = createRouter();

openAiRoutes.openAPIRegistry.registerPath({
  method: "post",
  path: "/v1/chat/completions",
  tags: ["OpenAI-compatible"],
  summary: "Complete a chat",
  description:
    "OpenAI's chat completions, streamed or not. Unknown fields pass through to the provider.",
  security,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.looseObject({
            model: z.string(),
            messages: z.array(openAiObject).min(1),
            stream: z.boolean().optional(),
          }),
          example: { model: "builtin", messages: [{ role: "user", content: "Hello" }] },
        },
      },
    },
  },
  responses: {
    200: {
      description: "The completion, or its chunks as server-sent events",
      content: {
        "application/json": { schema: openAiObject },
        "text/event-stream": { schema: z.string() },
      },
    },
    ...problemResponses,
  },
});

openAiRoutes.post("/v1/chat/completions", async (c) => {
  const call = await modelCall(c, { endUser: null });
  const ports = gatewayPorts(c);
  const request = await withFailureRecord({ ports, call, model: "" }, async () =>
    parseChatRequest(await c.req.text()),
  );
  const errorEvent = (error: AppError) =>
    `data: ${JSON.stringify(openAiErrorBody(error, call.requestId))}\n\n`;
  const work = completeChat(
    ports,
    { ...call, endUser: endUserOf(call, request.user) },
    request,
    errorEvent,
  );
  c.executionCtx.waitUntil(work.catch(() => undefined)); // goes on when the client hangs up, so that it is accounted for
  return answerResponse(c, await work);
});

openAiRoutes.openAPIRegistry.registerPath({
  method: "post",
  path: "/v1/embeddings",
  tags: ["OpenAI-compatible"],
  summary: "Embed texts",
  security,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.looseObject({
            model: z.string(),
            input: z.union([z.string(), z.array(z.unknown())]),
          }),
          example: { model: "builtin", input: "Hello" },
        },
      },
    },
  },
  responses: {
    200: {
      description: "The embeddings",
      content: { "application/json": { schema: openAiObject } },
    },
    ...problemResponses,
  },
});

openAiRoutes.post("/v1/embeddings", async (c) => {
  const call = await modelCall(c, { endUser: null });
  const ports = gatewayPorts(c);
  const request = await withFailureRecord({ ports, call, model: "" }, async () =>
    parseEmbeddingsRequest(await c.req.text()),
  );
  const work = embed(ports, { ...call, endUser: endUserOf(call, request.user) }, request);
  c.executionCtx.waitUntil(work.catch(() => undefined)); // as above
  return answerResponse(c, await work);
});

const modelSchema = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.number().int(),
  owned_by: z.string(),
});

openAiRoutes.openAPIRegistry.registerPath({
  method: "get",
  path: "/v1/models",
  tags: ["OpenAI-compatible"],
  summary: "List the models that you may use",
  description:
    "OpenAI's list. With the header `anthropic-version`, as Anthropic's clients send it, Anthropic's pages (`limit`, `after_id`, `before_id`).",
  security,
  responses: {
    200: {
      description: "OpenAI's list of models",
      content: {
        "application/json": {
          schema: z.object({ object: z.literal("list"), data: z.array(modelSchema) }),
        },
      },
    },
    ...problemResponses,
  },
});

openAiRoutes.get("/v1/models", async (c) => {
  const models = await allowedModels(c);
  return isAnthropic(c)
    ? c.json(modelPage(models, c.req.query()))
    : c.json({ object: "list", data: models.map(modelBody) });
});

openAiRoutes.openAPIRegistry.registerPath({
  method: "get",
  path: "/v1/models/{id}",
  tags: ["OpenAI-compatible"],
  summary: "One model",
  security,
  request: { params: z.object({ id: z.string() }) },
  responses: {
    200: { description: "The model", content: { "application/json": { schema: modelSchema } } },
    ...problemResponses,
  },
});

// Names of models may contain slashes, as in meta-llama/llama-3.
openAiRoutes.get("/v1/models/:id{.+}", async (c) => {
  const id = c.req.param("id");
  const model = (await allowedModels(c)).find(({ name }) => name === id);
  if (!model) throw modelNotFound(id);
  return c.json(isAnthropic(c) ? modelInfo(model) : modelBody(model));
});

/** Whether the client is Anthropic's, which asks at the same address. */
const isAnthropic = (c: AppContext) =>
  isAnthropicRequest(c.req.path, c.req.header("anthropic-version"));

const modelBody = (model: ListedModel): z.infer<typeof modelSchema> => ({
  id: model.name,
  object: "model",
  created: Math.floor(model.createdAt / 1000),
  owned_by: model.provider,
});

async function allowedModels(c: AppContext): Promise<ListedModel[]> {
  const principal = c.get("principal");
  requireScope(principal, "chat");
  const { catalog, cache } = c.get("deps");
  const service = configuredService(c);
  return listModels(principal, await catalog.get(catalogSources(c)), service, () =>
    discoverModels(service, cache),
  );
}
