import OpenAI, { type ClientOptions } from "openai";
import type { FaultProvider } from "#test/providers/fault-provider.ts";

/** What the suite runs against: the provider itself, or a gateway in front of it. */
export interface OpenAiTarget {
  baseURL: string;
  apiKey: string;
  /** The provider that answers in the end. */
  provider: FaultProvider;
  /** A key that may not use `deniedModel`. */
  restrictedKey: string;
  deniedModel: string;
  /** What `x-request-id` looks like. */
  requestId: RegExp;
}

/** The models that the provider of a target must have. */
export const MODELS = ["suite", "org/suite-large"];

/** The official client as an application makes it; without retries, unless the test is about those. */
export function openAiClient(target: OpenAiTarget, options: ClientOptions = {}): OpenAI {
  const { baseURL, apiKey } = target;
  return new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 30_000, ...options });
}

/** What a promise rejected with. */
export async function rejection(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("It did not fail");
}
