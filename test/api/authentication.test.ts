import http from "node:http";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { generateApiKey } from "#core/keys/api-key.ts";
import { type Stack, startStack, SUPER_ADMIN_KEY } from "#test/harness/stack.ts";
import { expectInvalid, expectProblem } from "./problem.ts";

/** A super admin key that looks like a team's key. */
const WELL_FORMED_ADMIN = generateApiKey();

let stack: Stack;
let team: Awaited<ReturnType<Stack["createTeam"]>>;

beforeAll(async () => {
  stack = await startStack({
    postgres: inject("postgres"),
    workers: ["api"],
    vars: { SUPER_ADMIN_API_KEYS: ` ${SUPER_ADMIN_KEY} ,, ${WELL_FORMED_ADMIN}` },
  });
  team = await stack.createTeam();
});
afterAll(() => stack?.stop());

const ask = (headers: Record<string, string>) =>
  stack.client(null).request("GET", "/v1/keys/verify", undefined, headers);

describe("who asks", () => {
  test.each<[string, Record<string, string>]>([
    ["no header", {}],
    ["an empty header", { authorization: "" }],
    ["another scheme", { authorization: "Basic dXNlcjpwYXNz" }],
    ["a scheme without a key", { authorization: "Bearer " }],
    ["two words", { authorization: "Bearer a b" }],
    ["an empty x-api-key", { "x-api-key": "" }],
  ])("%s: 401 that says what to send", async (_, headers) => {
    const response = await ask(headers);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect((await expectProblem(response, 401, "missing_api_key")).detail).toContain("x-api-key");
  });

  test.each<[string, () => string]>([
    ["a malformed key", () => "sy_live_short"],
    ["a mistyped key", () => team.key.slice(0, -1) + (team.key.endsWith("0") ? "1" : "0")],
    ["an unknown key", generateApiKey],
    ["a part of the super admin key", () => SUPER_ADMIN_KEY.slice(0, -1)],
    ["more than the super admin key", () => `${SUPER_ADMIN_KEY}0`],
    ["both super admin keys", () => `${SUPER_ADMIN_KEY},${WELL_FORMED_ADMIN}`],
    ["a hash", () => "a".repeat(64)],
    ["a very long key", () => "x".repeat(8_000)],
    ["an attempt at SQL", () => "'||(select_1)--"],
  ])("%s: 401, without a word of it in the answer", async (_, key) => {
    const response = await ask({ authorization: `Bearer ${key()}` });
    const text = await response.clone().text();
    await expectProblem(response, 401, "invalid_api_key");
    expect(text).not.toContain(key());
  });

  test("the same key comes in either header, in any case of the scheme", async () => {
    const ways: Record<string, string>[] = [
      { authorization: `Bearer ${team.key}` },
      { authorization: `bearer   ${team.key} ` },
      { "x-api-key": team.key },
    ];
    for (const headers of ways) {
      const response = await ask(headers);
      expect(await response.json()).toMatchObject({ id: team.keyId });
    }
  });

  test("a super admin key that looks like a team's key works", async () => {
    const response = await ask({ "x-api-key": WELL_FORMED_ADMIN });
    expect(await response.json()).toMatchObject({ kind: "super_admin", prefix: null });
  });

  test("a team's key stays in its team, whatever team the request names", async () => {
    const other = await stack.createTeam();
    const headers = { "x-team-id": other.teamId };
    const { data } = await team.client.expect<{ data: { id: string }[] }>(
      200,
      "GET",
      `/v1/teams?team_id=${other.teamId}`,
      undefined,
      headers,
    );
    expect(data.map((listed) => listed.id)).toEqual([team.teamId]);
    const response = await team.client.request(
      "GET",
      `/v1/teams/${other.teamId}`,
      undefined,
      headers,
    );
    await expectProblem(response, 404, "not_found");
  });

  test("nobody outside can speak for a Telegram chat", async () => {
    const actor = JSON.stringify({ team_id: team.teamId, end_user: "1", chat_id: "1" });
    await expectProblem(await ask({ "x-switchyard-actor": actor }), 401, "missing_api_key");
  });

  test.each(["x", "team_", "key_00000000000000000000000000", "team_0000000000000000000000000'"])(
    "a super admin who names the team %j is told that it is none",
    async (id) => {
      const response = await ask({ "x-api-key": SUPER_ADMIN_KEY, "x-team-id": id });
      await expectProblem(response, 400, "invalid_request");
    },
  );
});

describe("bodies", () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    team.client.request("POST", "/v1/keys", body, headers);

  test.each([
    "",
    "{",
    "{'a':1}",
    '{"name":"x"',
    "undefined",
    "\u0000",
    "<xml/>",
    '{"name": "a"} x',
  ])("%j is no JSON: 400", async (body) => {
    await expectProblem(await post(body), 400, "invalid_json");
  });

  test.each(["null", "[]", '"text"', "7", "true"])(
    "%s is JSON but no object: 422",
    async (body) => {
      await expectInvalid(await post(body), "");
    },
  );

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "json",
  ])("as %s: 415 that says what to send", async (type) => {
    const response = await post('{"name":"k"}', { "content-type": type });
    const { detail } = await expectProblem(response, 415, "unsupported_media_type");
    expect(detail).toContain("application/json");
  });

  test("without a content type: 415, not a complaint about missing fields", async () => {
    const body = new TextEncoder().encode('{"name":"k"}');
    const response = await fetch(`${stack.urls.api}/v1/keys`, {
      method: "POST",
      headers: { authorization: `Bearer ${team.key}` },
      body,
    });
    await expectProblem(response, 415, "unsupported_media_type");
  });

  test.each([
    "application/json; charset=utf-8",
    "Application/JSON",
    "application/merge-patch+json",
  ])("%s is taken", async (type) => {
    const response = await post('{"name":"k"}', { "content-type": type });
    expect(response.status).toBe(201);
    await response.body?.cancel();
  });

  test("none at all, where one is needed: 422 that names what is missing", async () => {
    await expectInvalid(await team.client.request("POST", "/v1/keys"), "name");
  });

  const overTenMegabytes = `{"name":"${"x".repeat(10 * 1024 * 1024)}"}`;

  test("over 10 MB: 413", async () => {
    await expectProblem(await post(overTenMegabytes), 413, "body_too_large");
  });

  test("over 10 MB without saying how long: 413 too", async () => {
    const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const request = http.request(`${stack.urls.api}/v1/keys`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${team.key}`,
          "content-type": "application/json",
          "transfer-encoding": "chunked",
        },
      });
      request.on("error", reject);
      request.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      for (let at = 0; at < overTenMegabytes.length; at += 65_536)
        request.write(overTenMegabytes.slice(at, at + 65_536));
      request.end();
    });
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text)).toMatchObject({ code: "body_too_large" });
  });

  test("just under 10 MB are read and judged by their fields", async () => {
    const body = `{"name":"${"x".repeat(10 * 1024 * 1024 - 20)}"}`;
    await expectInvalid(await post(body), "name");
  });
});

describe("every answer", () => {
  test("carries our request id, the trace and the time, and echoes the client's own id", async () => {
    const response = await team.client.request("GET", "/v1/teams", undefined, {
      "x-request-id": "mine-1",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
    expect(response.headers.get("x-client-request-id")).toBe("mine-1");
    expect(response.headers.get("traceparent")).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-/);
    expect(response.headers.get("server-timing")).toMatch(/total;dur=\d+/);
    await response.body?.cancel();
  });

  test("to an unknown path is 404 as a problem, with or without a key", async () => {
    await expectProblem(await team.client.request("GET", "/v1/nothing"), 404, "not_found");
    await expectProblem(await stack.client(null).request("GET", "/nothing"), 404, "not_found");
    await expectProblem(
      await stack.client(null).request("GET", "/v1/nothing"),
      401,
      "missing_api_key",
    );
  });
});
