import { afterAll, beforeAll, describe, inject } from "vitest";
import { startStack, type Stack } from "#test/harness/stack.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";
import { describeChat } from "./chat-suite.ts";
import { describeErrors } from "./errors-suite.ts";
import { describeModels } from "./models-suite.ts";
import { MODELS, type OpenAiTarget } from "./openai-target.ts";

let provider: FaultProvider;
let stack: Stack;
let apiKey: string;
let restrictedKey: string;
beforeAll(async () => {
  provider = await startFaultProvider({ apiKey: "sk-provider", models: MODELS });
  stack = await startStack({
    postgres: inject("postgres"),
    workers: ["api"],
    vars: { AI_SERVICE_URL: provider.url, AI_SERVICE_API_KEY: "sk-provider" },
  });
  const team = await stack.createTeam();
  apiKey = team.key;
  const restricted = { name: "restricted", scopes: ["chat"], models: ["suite"] };
  ({ key: restrictedKey } = await team.client.expect<{ key: string }>(
    201,
    "POST",
    "/v1/keys",
    restricted,
  ));
});
afterAll(async () => {
  await stack?.stop();
  await provider?.stop();
});

describe("the gateway in front of a provider", () => {
  const target = (): OpenAiTarget => ({
    baseURL: `${stack.urls.api}/v1`,
    apiKey,
    provider,
    restrictedKey,
    deniedModel: "org/suite-large",
    requestId: /^req_[0-9a-z]+$/,
  });
  describeChat(target);
  describeModels(target);
  describeErrors(target);
});
