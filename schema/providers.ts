import { bigint, integer, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";

/** Where models are reached. */
export const providers = pgTable("providers", {
  name: text("name").primaryKey(),
  kind: text("kind", { enum: ["openai"] }).notNull(),
  /** Without a slash at its end, such as `https://api.openai.com/v1`. */
  baseUrl: text("base_url").notNull(),
  /** AES-GCM under MASTER_KEY; null where the provider takes none. */
  apiKeySealed: text("api_key_sealed"),
  /** Milliseconds until the first byte of the answer. */
  timeoutMs: integer("timeout_ms").notNull(),
  createdAt: createdAt(),
  updatedAt: moment("updated_at").notNull().defaultNow(),
});

/** One place where a model can be had. */
export interface ModelTarget {
  provider: string;
  /** The provider's own name for it. */
  model: string;
  weight: number;
}

/** Models by the name that clients use: an alias for its target, with its price. */
export const models = pgTable("models", {
  name: text("name").primaryKey(),
  targets: jsonb("targets").$type<ModelTarget[]>().notNull(),
  strategy: text("strategy", { enum: ["ordered"] })
    .notNull()
    .default("ordered"),
  inputPerMillionMicros: bigint("input_per_million_micros", { mode: "number" })
    .notNull()
    .default(0),
  outputPerMillionMicros: bigint("output_per_million_micros", { mode: "number" })
    .notNull()
    .default(0),
  /** The most tokens it writes in one answer. */
  maxOutputTokens: integer("max_output_tokens"),
  /** How many tokens prompt and answer may have together. */
  contextTokens: integer("context_tokens"),
  createdAt: createdAt(),
  updatedAt: moment("updated_at").notNull().defaultNow(),
});
