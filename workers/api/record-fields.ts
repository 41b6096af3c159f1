import type { UsageRecord } from "#core/usage/usage-record.ts";

/** What a request's log line says of the model that it called. */
export function recordFields(record: UsageRecord): Record<string, unknown> {
  return {
    model: record.model,
    provider: record.provider,
    input_tokens: record.inputTokens,
    output_tokens: record.outputTokens,
    cached_input_tokens: record.cachedInputTokens,
    cost_micros: record.costMicros,
    first_token_ms: record.firstTokenMs ?? undefined,
    error_code: record.errorCode ?? undefined,
  };
}
