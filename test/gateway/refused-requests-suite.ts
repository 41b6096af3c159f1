import { describe, expect, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type GatewayStack, userSays } from "./gateway-stack.ts";
import { bearer, expectOpenAiError } from "./openai-error.ts";

const good = { model: "plain", messages: userSays("hi") };

/** Requests that make no sense, each refused and recorded. */
export function describeRefusedRequests(gateway: () => GatewayStack): void {
  describe("a request that is no good", () => {
    const deep = `{"model":"plain","messages":[{"role":"user","content":${"[".repeat(50_000)}${"]".repeat(50_000)}}]}`;
    const chat = (more: object) => ({ ...good, ...more });
    /** What Postgres has to have of them, in the order of their ids. */
    const refused: { id: string | null; end_user: string; [column: string]: unknown }[] = [];

    it.each<[string, unknown, number, string, string | null]>([
      ["an empty body", "", 400, "invalid_json", null],
      ["no JSON", "{model: plain}", 400, "invalid_json", null],
      ["JSON that is cut", '{"model":"plain","mess', 400, "invalid_json", null],
      ["a list", [], 400, "invalid_request", null],
      ["null", "null", 400, "invalid_request", null],
      ["a text", '"plain"', 400, "invalid_request", null],
      ["no model", { messages: good.messages }, 400, "invalid_request", "model"],
      ["a model that is a number", chat({ model: 7 }), 400, "invalid_request", "model"],
      [
        "a model with a long name",
        chat({ model: "m".repeat(201) }),
        400,
        "invalid_request",
        "model",
      ],
      ["an unknown model", chat({ model: "gpt-9" }), 404, "model_not_found", "model"],
      ["a model named like a field", chat({ model: "__proto__" }), 404, "model_not_found", "model"],
      ["a model with a NUL", chat({ model: "a\u0000b" }), 404, "model_not_found", "model"],
      ["no messages", { model: "plain" }, 400, "invalid_request", "messages"],
      ["empty messages", chat({ messages: [] }), 400, "invalid_request", "messages"],
      ["messages that are a text", chat({ messages: "hi" }), 400, "invalid_request", "messages"],
      ["a message that is null", chat({ messages: [null] }), 400, "invalid_request", "messages[0]"],
      [
        "a message without a role",
        chat({ messages: [{}] }),
        400,
        "invalid_request",
        "messages[0].role",
      ],
      [
        "an unknown role",
        chat({ messages: [{ role: "king" }] }),
        400,
        "invalid_request",
        "messages[0].role",
      ],
      [
        "content that is a number",
        chat({ messages: userSays(1) }),
        400,
        "invalid_request",
        "messages[0].content",
      ],
      ["stream that is a text", chat({ stream: "true" }), 400, "invalid_request", "stream"],
      ["max_tokens below one", chat({ max_tokens: -1 }), 400, "invalid_request", "max_tokens"],
      ["n of nothing", chat({ n: 0 }), 400, "invalid_request", "n"],
      [
        "stream options of the wrong kind",
        chat({ stream: true, stream_options: [] }),
        400,
        "invalid_request",
        "stream_options",
      ],
    ])("is refused: %s", async (name, body, status, code, param) => {
      const before = gateway().provider.requests.length;
      const response = await gateway().chat(body as object, { headers: { "x-end-user": name } }); // some are texts on purpose
      const error = await expectOpenAiError(response, status, code);
      expect(error.param).toBe(param);
      expect(gateway().provider.requests).toHaveLength(before);
      const id = response.headers.get("x-request-id");
      refused.push({ id, end_user: name, status, error_code: code, input_tokens: 0 });
    });

    it("is recorded once all the same", async () => {
      expect(refused.length).toBeGreaterThan(20);
      await eventually(async () => {
        const records = await gateway().stack.sql(
          `SELECT id, end_user, status, error_code, input_tokens FROM usage_records
         WHERE end_user = ANY($1) ORDER BY id`,
          [refused.map((one) => one.end_user)],
        );
        expect(records).toEqual(refused);
      });
    });

    it("is refused by its size, whether it tells it or not", async () => {
      // Much more than fits into the buffers on the way: who is refused while still sending has to read why.
      const text = JSON.stringify(chat({ padding: "x".repeat(40 * 1024 * 1024) }));
      const url = `${gateway().stack.urls.api}/v1/chat/completions`;
      const headers = { ...bearer(gateway().key), "content-type": "application/json" };
      for (const body of [text, new Blob([text]).stream()]) {
        const init = { method: "POST", headers, body, duplex: "half" } as RequestInit; // the DOM's type does not know duplex
        await expectOpenAiError(await fetch(url, init), 413, "body_too_large");
      }
    });

    it("does not bring anything down, however deep it is", async () => {
      const response = await gateway()
        .stack.client(gateway().key)
        .request("POST", "/v1/chat/completions", deep);
      expect([200, 400]).toContain(response.status);
      await response.text();
      expect((await gateway().chat(good)).status).toBe(200);
    });

    it("is refused in OpenAI's shape for embeddings too", async () => {
      const client = gateway().stack.client(gateway().key);
      for (const [body, param] of [
        [{ model: "plain" }, "input"],
        [{ model: "plain", input: [] }, "input"],
        [{ model: "plain", input: 7 }, "input"],
        [{ input: "hi" }, "model"],
      ] as const) {
        const response = await client.request("POST", "/v1/embeddings", body);
        expect((await expectOpenAiError(response, 400, "invalid_request")).param).toBe(param);
      }
    });

    it("is told so where there is nothing at its path", async () => {
      const client = gateway().stack.client(gateway().key);
      await expectOpenAiError(
        await client.request("GET", "/v1/chat/completions"),
        404,
        "not_found",
      );
      await expectOpenAiError(
        await client.request("GET", "/v1/models/no/such"),
        404,
        "model_not_found",
      );
    });
  });
}
