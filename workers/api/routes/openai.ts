import { completeChat, withFailureRecord } from "#core/gateway/complete-chat.ts";
import { parseChatRequest } from "#core/gateway/chat-request.ts";
import { embed, parseEmbeddingsRequest } from "#core/gateway/embed.ts";
import type { ModelAnswer } from "#core/gateway/model-call.ts";
import type { AppError } from "#core/kernel/errors.ts";
import { requireScope } from "#core/kernel/principal.ts";
import { modelNotFound } from "#core/providers/catalog.ts";
import { listModels } from "#core/providers/list-models.ts";
import { discoverModels } from "#platform/model-discovery.ts";
import type { AppContext } from "../app-types.ts";
import { catalogSources, configuredService, gatewayPorts, modelCall } from "../model-gateway.ts";
import { logRequest } from "../middleware/request-frame.ts";
import { recordFields } from "../record-fields.ts";
import { createRouter, problemResponses, security, z } from "../openapi.ts";
import { openAiErrorBody } from "../problem.ts";

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
    { ...call, endUser: call.endUser ?? request.user },
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
  const work = embed(ports, { ...call, endUser: call.endUser ?? request.user }, request);
  c.executionCtx.waitUntil(work.catch(() => undefined)); // as above
  return answerResponse(c, await work);
});

/** Sends a model's answer, and writes the log line once it has ended. */
function answerResponse(c: AppContext, answer: ModelAnswer): Response {
  c.set("upstreamMs", answer.upstreamMs);
  c.set("logsItself", true);
  const logged = answer.record.then((record) =>
    logRequest(c, record.status, undefined, recordFields(record)),
  );
  c.executionCtx.waitUntil(logged);
  const headers: Record<string, string> = { "content-type": answer.contentType };
  if (typeof answer.body !== "string") headers["cache-control"] = "no-cache, no-transform";
  return new Response(answer.body, { headers });
}

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

openAiRoutes.get("/v1/models", async (c) =>
  c.json({ object: "list", data: await allowedModels(c) }),
);

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
  const model = (await allowedModels(c)).find((candidate) => candidate.id === id);
  if (!model) throw modelNotFound(id);
  return c.json(model);
});

async function allowedModels(c: AppContext) {
  const principal = c.get("principal");
  requireScope(principal, "chat");
  const { catalog, cache } = c.get("deps");
  const service = configuredService(c);
  const listed = await listModels(principal, await catalog.get(catalogSources(c)), service, () =>
    discoverModels(service, cache),
  );
  return listed.map((model) => ({
    id: model.name,
    object: "model" as const,
    created: Math.floor(model.createdAt / 1000),
    owned_by: model.provider,
  }));
}
