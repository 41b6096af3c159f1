import { callbackAttempt } from "#core/jobs/callbacks/callback-attempt.ts";
import type { CallbackSecret } from "#core/jobs/callbacks/callback-secret.ts";
import { getCallbackSecrets } from "#core/jobs/callbacks/get-callback-secret.ts";
import { type JobCallback, listCallbacks } from "#core/jobs/callbacks/list-callbacks.ts";
import { resendCallback } from "#core/jobs/callbacks/resend-callback.ts";
import {
  rotateCallbackSecret,
  rotateCallbackSecretInput,
} from "#core/jobs/callbacks/rotate-callback-secret.ts";
import { emptyBodyAsObject } from "../middleware/empty-body.ts";
import { idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  jsonBody,
  jsonResponse,
  pageOf,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";

const common = { tags: ["Jobs"], security };

const callbackSchema = z
  .object({
    id: z.string().openapi({ description: "`webhook-id` of every delivery" }),
    url: z.string(),
    event: z.string().openapi({ example: "job.succeeded" }),
    state: z.enum(["pending", "delivered", "failed"]),
    attempts: z.number().int(),
    next_at: z.string().nullable(),
    delivered_at: z.string().nullable(),
    created_at: z.string(),
    log: z.array(callbackAttempt).openapi({ description: "The latest 50 tries" }),
  })
  .openapi("JobCallback");

const secretSchema = z
  .object({
    id: z.string(),
    ends_at: z.string().nullable().openapi({
      description: "When it stops to sign; null for the one that holds",
    }),
    created_by: z.string(),
    created_at: z.string(),
  })
  .openapi("CallbackSecret");

const time = (date: Date | null) => date?.toISOString() ?? null;

const encodeCallback = (callback: JobCallback): z.infer<typeof callbackSchema> => ({
  id: callback.id,
  url: callback.url,
  event: callback.event,
  state: callback.state,
  attempts: callback.attempts,
  next_at: time(callback.nextAt),
  delivered_at: time(callback.deliveredAt),
  created_at: callback.createdAt.toISOString(),
  log: callback.log,
});

const encodeSecret = (secret: CallbackSecret): z.infer<typeof secretSchema> => ({
  id: secret.id,
  ends_at: time(secret.endsAt),
  created_by: secret.createdBy,
  created_at: secret.createdAt.toISOString(),
});

const listContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/jobs/{id}/callbacks",
  summary: "List a job's callbacks with their tries",
  description: "Needs the scope `jobs`. One for each of the job's ends, the oldest first.",
  request: { params: z.object({ id: z.string().max(100) }), headers: teamHeader },
  responses: {
    200: jsonResponse("The callbacks", pageOf(callbackSchema)),
    ...problemResponses,
  },
});

const resendContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/jobs/{id}/callbacks/{callback_id}/resend",
  summary: "Send a callback again",
  description:
    "Needs the scope `jobs`. It goes out within a minute, with the same `webhook-id` and the same words, and is retried from the start.",
  request: {
    params: z.object({ id: z.string().max(100), callback_id: z.string().max(200) }),
    headers: teamHeader,
  },
  responses: {
    202: jsonResponse("The callback, which waits", callbackSchema),
    ...problemResponses,
  },
});

const secretsContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/jobs/callback-secret",
  summary: "Say which secrets sign the team's callbacks",
  description: "Needs the scope `admin`. The one that holds first. No secret is in it.",
  request: { headers: teamHeader },
  responses: { 200: jsonResponse("The secrets", pageOf(secretSchema)), ...problemResponses },
});

const rotateContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/jobs/callback-secret/rotate",
  middleware: emptyBodyAsObject,
  summary: "Make the secret that signs the team's callbacks, or a new one",
  description:
    "Needs the scope `admin`. The secret is in this answer only. Until the grace of the old one ends, callbacks carry a signature by each.",
  request: {
    headers: idempotencyHeader.extend(teamHeader.shape),
    ...jsonBody(rotateCallbackSecretInput, { grace_seconds: 86_400 }),
  },
  responses: {
    200: jsonResponse(
      "The new secret",
      z
        .object({
          id: z.string(),
          secret: z.string().openapi({ description: "For the library of Standard Webhooks" }),
          created_at: z.string(),
          previous_ends_at: z.string().nullable(),
        })
        .openapi("IssuedCallbackSecret"),
    ),
    ...problemResponses,
  },
});

export const jobCallbackRoutes = createRouter()
  .openapi(listContract, async (c) => {
    const { id: jobId } = c.req.valid("param");
    const callbacks = await listCallbacks(c.get("context"), { jobId });
    return c.json({ data: callbacks.map(encodeCallback), next_cursor: null }, 200);
  })
  .openapi(resendContract, async (c) => {
    const { id: jobId, callback_id: callbackId } = c.req.valid("param");
    const callback = await c
      .get("context")
      .transaction((context) => resendCallback(context, { jobId, callbackId }));
    return c.json(encodeCallback(callback), 202);
  })
  .openapi(secretsContract, async (c) => {
    const secrets = await getCallbackSecrets(c.get("context"));
    return c.json({ data: secrets.map(encodeSecret), next_cursor: null }, 200);
  })
  .openapi(rotateContract, async (c) => {
    const input = c.req.valid("json");
    const { body } = await idempotent(c, async (context) => {
      const { id, secret, createdAt, previousEndsAt } = await rotateCallbackSecret(context, input);
      const times = { created_at: createdAt.toISOString(), previous_ends_at: time(previousEndsAt) };
      return { status: 200, body: { id, secret, ...times } };
    });
    return c.json(body, 200);
  });
