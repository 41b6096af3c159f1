import { afterAll, beforeAll, describe } from "vitest";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";
import { describeChat } from "./chat-suite.ts";
import { describeErrors } from "./errors-suite.ts";
import { describeModels } from "./models-suite.ts";
import { MODELS, type OpenAiTarget } from "./openai-target.ts";

let provider: FaultProvider;
beforeAll(async () => {
  provider = await startFaultProvider({ apiKey: "sk-provider", models: MODELS });
});
afterAll(() => provider?.stop());

/** Whoever changes the suite sees here whether it asks for more than the protocol gives. */
describe("the provider itself", () => {
  const target = (): OpenAiTarget => ({
    baseURL: provider.url,
    apiKey: "sk-provider",
    provider,
    restrictedKey: "sk-provider",
    deniedModel: "fault/status-403",
    requestId: /./,
  });
  describeChat(target);
  describeModels(target);
  describeErrors(target);
});
