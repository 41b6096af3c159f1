import { z } from "zod";

/** One model request, as it travels from an isolate through the Meter and the queue to Postgres. */
export const usageRecord = z.object({
  /** Our own `req_` id. */
  id: z.string(),
  attempt: z.number().int(),
  /** When the request came in, milliseconds since 1970. */
  at: z.number().int(),
  keyId: z.string().nullable(),
  sessionId: z.string().nullable(),
  endUser: z.string().nullable(),
  model: z.string(),
  provider: z.string().nullable(),
  /** The HTTP status that the client got; 499 where it hung up, 502 where a stream was cut. */
  status: z.number().int(),
  errorCode: z.string().nullable(),
  inputTokens: z.number().int(),
  outputTokens: z.number().int(),
  /** The part of the input that the provider had in its own cache; left out where that is nothing. */
  cachedInputTokens: z.number().int().optional(),
  /** The part of the input that it put there; left out where that is nothing. */
  cacheWriteTokens: z.number().int().optional(),
  estimated: z.boolean(),
  costMicros: z.number().int(),
  latencyMs: z.number().int(),
  firstTokenMs: z.number().int().nullable(),
  /** The response cache had the answer: no provider was called, and nothing is charged. */
  cached: z.boolean(),
  /** The response cache was asked, and had no answer; left out where it was not asked. */
  cacheMissed: z.boolean().optional(),
  /** What the team's guard rails did, as in `output_masked`; left out where that is nothing. */
  guardRails: z.array(z.string()).optional(),
  /** The limit that refused the request, as in `tokens/minute`; left out where none did. */
  refusedBy: z.string().nullish(),
});
export type UsageRecord = z.infer<typeof usageRecord>;

/** Records of one team that were reported together; its id makes a second delivery recognisable. */
export const usageBatch = z.object({ id: z.string(), records: z.array(usageRecord) });
export type UsageBatch = z.infer<typeof usageBatch>;

/** A message on the usage queue: batches of one team, packed together up to the queue's limit of 128 KB. */
export const usageMessage = z.object({
  kind: z.literal("usage"),
  teamId: z.string(),
  batches: z.array(usageBatch),
});
export type UsageMessage = z.infer<typeof usageMessage>;

/** A message that only travels, so that health checks can tell how long the queue takes. */
export const queueProbe = z.object({ kind: z.literal("probe"), sentAt: z.number().int() });
