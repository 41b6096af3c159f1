import { bigint, integer, jsonb, pgTable, smallint, text } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";

/** Where models are reached. */
export const providers = pgTable("providers", {
  name: text("name").primaryKey(),
  kind: text("kind", { enum: ["openai", "anthropic", "gemini", "workers_ai"] }).notNull(),
  /** Without a slash at its end, such as `https://api.openai.com/v1`; empty for Workers AI, which has no address. */
  baseUrl: text("base_url").notNull(),
  /** AES-GCM under MASTER_KEY; null where the provider takes none. */
  apiKeySealed: text("api_key_sealed"),
  /** Milliseconds until the first byte of the answer. */
  timeoutMs: integer("timeout_ms").notNull(),
  /** Milliseconds until the first token of a stream; null leaves it to the pause between tokens. */
  firstTokenMs: integer("first_token_ms"),
  /** The longest pause within an answer, in milliseconds; null stands for `timeout_ms`. */
  betweenTokensMs: integer("between_tokens_ms"),
  /** Milliseconds for a whole request, all attempts together. */
  totalMs: integer("total_ms").notNull().default(600_000),
  /** How often an attempt that failed is repeated at the same target. */
  maxRetries: smallint("max_retries").notNull().default(1),
  /** When its targets' circuits open; null stands for the defaults. */
  circuit: jsonb("circuit").$type<CircuitPolicy>(),
  createdAt: createdAt(),
  updatedAt: moment("updated_at").notNull().defaultNow(),
});

/** When a target's circuit opens, and for how long. */
export interface CircuitPolicy {
  /** The sliding window that is looked at, in milliseconds. */
  windowMs: number;
  /** With fewer requests than that in the window, it stays closed. */
  minimumRequests: number;
  /** From this share of failed requests on it opens: 0 to 1. */
  errorRate: number;
  /** What is slow, in milliseconds to the first token (streams) or the whole answer; null: nothing is. */
  slowMs: number | null;
  /** From this share of slow requests on it opens: 0 to 1. */
  slowRate: number;
  /** How long it stays open at first, in milliseconds; each probe that fails doubles that. */
  openMs: number;
}

/** One place where a model can be had. */
export interface ModelTarget {
  provider: string;
  /** The provider's own name for it. */
  model: string;
  weight: number;
  /** What it costs there, in micro-dollars; left out, the model's own prices. */
  prices?: {
    inputPerMillionMicros: number;
    outputPerMillionMicros: number;
    cachedInputPerMillionMicros?: number;
    cacheWritePerMillionMicros?: number;
    cacheWrite1hPerMillionMicros?: number;
  };
  /** The most tokens it writes there in one answer; left out, as the model says. */
  maxOutputTokens?: number;
}

/** How the target of a request is chosen among those whose circuit is closed. */
export const STRATEGIES = ["ordered", "weighted", "latency", "cost"] as const;

/** Models by the name that clients use: an alias for its targets, with their prices. */
export const models = pgTable("models", {
  name: text("name").primaryKey(),
  targets: jsonb("targets").$type<ModelTarget[]>().notNull(),
  strategy: text("strategy", { enum: STRATEGIES }).notNull().default("ordered"),
  /** Milliseconds after which a request that is not streamed is sent a second time; null: never. */
  hedgeAfterMs: integer("hedge_after_ms"),
  inputPerMillionMicros: bigint("input_per_million_micros", { mode: "number" })
    .notNull()
    .default(0),
  outputPerMillionMicros: bigint("output_per_million_micros", { mode: "number" })
    .notNull()
    .default(0),
  /** Of input that the provider has in its own cache, puts there, and puts there for an hour; null: as other input. */
  cachedInputPerMillionMicros: bigint("cached_input_per_million_micros", { mode: "number" }),
  cacheWritePerMillionMicros: bigint("cache_write_per_million_micros", { mode: "number" }),
  cacheWrite1hPerMillionMicros: bigint("cache_write_1h_per_million_micros", { mode: "number" }),
  /** The most tokens it writes in one answer. */
  maxOutputTokens: integer("max_output_tokens"),
  /** How many tokens prompt and answer may have together. */
  contextTokens: integer("context_tokens"),
  createdAt: createdAt(),
  updatedAt: moment("updated_at").notNull().defaultNow(),
});
