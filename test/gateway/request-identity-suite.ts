import { describe, expect, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type GatewayStack, userSays } from "./gateway-stack.ts";

/** What goes with a request: trace, ids, timing, log line. */
export function describeIdentity(gateway: () => GatewayStack): void {
  describe("a request's identity", () => {
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";

    async function send(headers: Record<string, string>, model = "plain") {
      const response = await gateway().chat(
        { model, messages: userSays(crypto.randomUUID()) },
        { headers },
      );
      await response.text();
      const seen = gateway().provider.requestsFor(model).at(-1)?.headers ?? {};
      return { response, answered: response.headers, seen };
    }

    it("continues the caller's trace to the provider and back", async () => {
      const traceparent = `00-${trace}-00f067aa0ba902b7-01`;
      const { answered, seen } = await send({ traceparent, tracestate: "vendor=1" });
      expect(seen["traceparent"]).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
      expect(seen["traceparent"]).not.toBe(traceparent);
      expect(seen["tracestate"]).toBe("vendor=1");
      expect(answered.get("traceparent")).toBe(seen["traceparent"]);
      await eventually(() => expect(logOf(answered)).toMatchObject([{ trace_id: trace }]));
    });

    it.each(["", "00-zz-1-01", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`, "x".repeat(500)])(
      "begins a trace of its own where the caller's is none: %s",
      async (traceparent) => {
        const { seen } = await send({ traceparent, tracestate: "vendor=1" });
        expect(seen["traceparent"]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
        expect(seen["traceparent"]).not.toContain("0".repeat(32));
        expect(seen["tracestate"]).toBeUndefined();
      },
    );

    it("is ours, and the client's own is only handed back", async () => {
      for (const name of ["x-client-request-id", "x-request-id"]) {
        const { answered, seen } = await send({ [name]: "req_forged" });
        expect(answered.get("x-request-id")).toMatch(/^req_[0-9a-z]{26}$/);
        expect(answered.get("x-client-request-id")).toBe("req_forged");
        expect(seen["x-request-id"]).toBe(answered.get("x-request-id"));
      }
      const { answered } = await send({ "x-client-request-id": "i".repeat(5_000) });
      expect(answered.get("x-client-request-id")).toHaveLength(200);
    });

    it("tells how long the provider took, and all of it", async () => {
      const { answered } = await send({}, "slow");
      const [, upstream, total] =
        /^upstream;dur=(\d+), total;dur=(\d+)$/.exec(answered.get("server-timing") ?? "") ?? [];
      expect(Number(upstream)).toBeGreaterThanOrEqual(290);
      expect(Number(total)).toBeGreaterThanOrEqual(Number(upstream));
    });

    it("is in one log line, which has neither the key nor what was said", async () => {
      const { answered } = await send({ "x-client-request-id": "mine" });
      await eventually(() => expect(logOf(answered)).toHaveLength(1));
      expect(logOf(answered)[0]).toMatchObject({
        event: "request",
        path: "/v1/chat/completions",
        status: 200,
        team_id: gateway().teamId,
        key_id: gateway().keyId,
        model: "plain",
        input_tokens: 11,
        client_request_id: "mine",
      });
    });

    it("comes with no header of the client's but those that are meant for the provider", async () => {
      const headers = { cookie: "a=b", "x-custom": "c", "openai-organization": "org" };
      const { seen } = await send({ ...headers, forwarded: "for=1.2.3.4", "x-api-key": "k" });
      for (const name of [...Object.keys(headers), "forwarded", "x-api-key", "cf-connecting-ip"])
        expect(seen[name], name).toBeUndefined();
      expect(seen["user-agent"]).toMatch(/^switchyard\//);
    });

    const logOf = (headers: Headers) =>
      gateway().stack.logs.entries.filter(
        (entry) =>
          entry["request_id"] === headers.get("x-request-id") && entry["event"] === "request",
      );
  });
}
