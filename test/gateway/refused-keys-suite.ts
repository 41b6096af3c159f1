import { describe, expect, it } from "vitest";
import { generateApiKey } from "#core/keys/api-key.ts";
import { eventually } from "#test/harness/eventually.ts";
import { SUPER_ADMIN_KEY } from "#test/harness/stack.ts";
import { type GatewayStack, userSays } from "./gateway-stack.ts";
import { bearer, expectOpenAiError } from "./openai-error.ts";

const good = { model: "plain", messages: userSays("hi") };

/** Keys that do not work, and what each of them is told. */
export function describeRefusedKeys(
  gateway: () => GatewayStack,
  keys: Record<string, string>,
): void {
  describe("a key that is no good", () => {
    const wrongChecksum = () =>
      gateway().key.slice(0, -1) + (gateway().key.endsWith("A") ? "B" : "A");

    it.each<[string, () => Record<string, string>, number, string]>([
      ["none at all", () => ({}), 401, "missing_api_key"],
      ["an empty one", () => ({ authorization: "Bearer " }), 401, "missing_api_key"],
      ["another scheme", () => ({ authorization: "Basic dTpw" }), 401, "missing_api_key"],
      ["malformed", () => bearer("nonsense"), 401, "invalid_api_key"],
      ["very long", () => bearer("x".repeat(8_000)), 401, "invalid_api_key"],
      ["with a wrong checksum", () => bearer(wrongChecksum()), 401, "invalid_api_key"],
      ["well-formed but unknown", () => bearer(generateApiKey()), 401, "invalid_api_key"],
      ["unknown, in x-api-key", () => ({ "x-api-key": generateApiKey() }), 401, "invalid_api_key"],
      ["revoked", () => bearer(keys["revoked"]), 401, "revoked_api_key"],
      ["disabled", () => bearer(keys["disabled"]), 403, "disabled_api_key"],
      ["without the scope", () => bearer(keys["without scope"]), 403, "missing_scope"],
      ["not for this model", () => bearer(keys["other model"]), 403, "model_not_allowed"],
      ["a super admin's for no team", () => bearer(SUPER_ADMIN_KEY), 400, "invalid_request"],
    ])("is refused: %s", async (_name, headers, status, code) => {
      const before = gateway().provider.requests.length;
      const client = gateway().stack.client(null);
      for (const [path, body] of [
        ["/v1/chat/completions", good],
        ["/v1/embeddings", { model: "plain", input: "hi" }],
      ] as const) {
        const response = await client.request("POST", path, body, headers());
        await expectOpenAiError(response, status, code);
        expect(response.headers.has("www-authenticate")).toBe(status === 401);
      }
      expect(gateway().provider.requests).toHaveLength(before);
    });

    it("without the scope, makes a usage record all the same: its team is known", async () => {
      const refused: (string | null)[] = [];
      for (const path of ["/v1/chat/completions", "/v1/embeddings", "/v1/chat"]) {
        const body = { ...good, input: "hi", message: "hi" };
        const own = path === "/v1/chat" ? { message: "hi" } : body;
        const headers = bearer(keys["without scope"]);
        const response = await gateway().stack.client(null).request("POST", path, own, headers);
        expect(response.status).toBe(403);
        refused.push(response.headers.get("x-request-id"));
      }
      await eventually(async () => {
        const records = await gateway().stack.sql(
          "SELECT id FROM usage_records WHERE error_code = 'missing_scope' AND status = 403 AND id = ANY($1) ORDER BY id",
          [refused],
        );
        expect(records.map(({ id }) => id)).toEqual(refused);
      });
    });

    it("is refused from the moment on that it expires", async () => {
      await eventually(async () => {
        const response = await gateway().chat(good, { key: keys["expired"] ?? "" });
        await expectOpenAiError(response, 401, "expired_api_key");
      });
    });

    it("sees no model in the list that it may not use", async () => {
      const client = gateway().stack.client(keys["other model"] ?? "");
      const list = await client.expect<{ data: { id: string }[] }>(200, "GET", "/v1/models");
      expect(list.data.map((model) => model.id)).toEqual(["big"]);
      await expectOpenAiError(
        await client.request("GET", "/v1/models/plain"),
        404,
        "model_not_found",
      );
    });
  });
}
