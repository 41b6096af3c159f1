import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { generateApiKey } from "#core/keys/api-key.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import { type Stack, startStack, SUPER_ADMIN_KEY } from "#test/harness/stack.ts";

const PROVIDER_KEY = "sk-provider-secret-4f1d9a";
const SETTINGS_KEY = "sk-settings-secret-77c2e0";

let stack: Stack;
let provider: http.Server;
let providerUrl: string;
/** What the provider answers next: it repeats the key that it was sent, as careless ones do. */
let status = 200;
const sentKeys: string[] = [];
/** Everything that the api Worker has answered, headers and bodies. */
const answers: string[] = [];

beforeAll(async () => {
  provider = http.createServer((request, response) => {
    const sent = request.headers.authorization ?? "";
    sentKeys.push(sent);
    request.resume();
    request.on("end", () => {
      response.writeHead(status, { "content-type": "application/json", "x-echo": sent });
      response.end(
        JSON.stringify({
          error: { message: `Incorrect API key provided: ${sent}`, type: "invalid_request_error" },
        }),
      );
    });
  });
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  providerUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`; // a TCP server's address is never a text
  stack = await startStack({
    postgres: inject("postgres"),
    workers: ["api"],
    vars: {
      LOG_LEVEL: "debug",
      AI_SERVICE_URL: `${providerUrl}/v1`,
      AI_SERVICE_API_KEY: SETTINGS_KEY,
      AI_SERVICE_MODEL: "from-settings",
    },
  });
});
afterAll(async () => {
  await stack?.stop();
  provider?.closeAllConnections();
  await new Promise((resolve) => provider?.close(resolve));
});

/** Sends a request and keeps what came back. */
async function ask(client: ApiClient, method: string, path: string, body?: unknown) {
  const response = await client.request(method, path, body);
  const text = await response.text();
  answers.push(`${JSON.stringify([...response.headers])}\n${text}`);
  return { status: response.status, text };
}

test("no secret is in any log line, nor in any answer but the one that issues it", async () => {
  const team = await stack.createTeam();
  const path = "/v1/admin/providers/leaky";
  const put = { base_url: `${providerUrl}/v1`, api_key: PROVIDER_KEY };
  expect((await ask(stack.admin, "PUT", path, put)).status).toBe(201);
  await ask(stack.admin, "GET", path);
  await ask(stack.admin, "GET", "/v1/admin/providers");
  await ask(stack.admin, "PUT", path, { base_url: `${providerUrl}/v1`, timeout_ms: 5_000 });
  const model = { targets: [{ provider: "leaky", model: "m" }] };
  expect((await ask(stack.admin, "PUT", "/v1/admin/models/leaky", model)).status).toBe(201);

  const chat = (name: string, stream: boolean) => ({
    model: name,
    messages: [{ role: "user", content: "Hello" }],
    stream,
  });
  for (status of [302, 400, 401, 403, 404, 422, 429, 500, 503])
    for (const name of ["leaky", "from-settings"])
      for (const stream of [false, true])
        await ask(team.client, "POST", "/v1/chat/completions", chat(name, stream));
  expect(sentKeys).toContain(`Bearer ${PROVIDER_KEY}`);
  expect(sentKeys).toContain(`Bearer ${SETTINGS_KEY}`);

  // Secrets where the bodies that hold them cannot be used
  await ask(stack.admin, "PUT", path, `{"api_key":"${PROVIDER_KEY}" oops`);
  await ask(stack.admin, "PUT", path, { ...put, api_key: `${PROVIDER_KEY} ${PROVIDER_KEY}` });
  await ask(stack.admin, "PUT", path, { base_url: `https://x:${PROVIDER_KEY}@127.0.0.1/v1` });
  await ask(stack.admin, "PUT", path, { [PROVIDER_KEY.replace("sk", "xx")]: 1 });
  await ask(stack.client(PROVIDER_KEY), "GET", "/v1/keys/verify");

  // Keys of ours
  const unknown = generateApiKey();
  await ask(stack.client(unknown), "GET", "/v1/keys/verify");
  await ask(team.client, "GET", `/v1/teams?api_key=${unknown}`);
  const issued = await team.client.expect<{ id: string; key: string }>(201, "POST", "/v1/keys", {
    name: "issued",
  });
  const rotated = await team.client.expect<{ key: string }>(
    200,
    "POST",
    `/v1/keys/${issued.id}/rotate`,
    {},
  );
  for (const key of [issued.key, rotated.key])
    await ask(stack.client(key), "GET", "/v1/keys/verify");
  for (const client of [team.client, stack.admin]) {
    await ask(client, "GET", "/v1/keys");
    await ask(client, "GET", `/v1/keys/${issued.id}`);
    await ask(client, "PATCH", `/v1/keys/${issued.id}`, { name: "renamed" });
    await ask(client, "GET", "/v1/keys/verify");
  }

  // A database that fails in the middle of it, since drivers put parameters into their messages
  await stack.sql("ALTER TABLE providers RENAME TO providers_away");
  expect((await ask(stack.admin, "PUT", path, put)).status).toBe(500);
  await stack.sql("ALTER TABLE providers_away RENAME TO providers");
  await stack.sql("ALTER TABLE api_keys RENAME TO api_keys_away");
  const failed = await ask(team.client, "POST", "/v1/keys", { name: "never" });
  await stack.sql("ALTER TABLE api_keys_away RENAME TO api_keys");
  expect(failed.status).toBe(500);
  expect(failed.text).not.toMatch(/api_keys|insert|relation/i);

  const hidden = { PROVIDER_KEY, SETTINGS_KEY, SUPER_ADMIN_KEY, team: team.key, unknown };
  const secrets = { ...hidden, issued: issued.key, rotated: rotated.key };
  expect(stack.logs.lines.length).toBeGreaterThan(answers.length);
  expect(stack.logs.includes("key_rotated")).toBe(true);
  for (const [name, secret] of Object.entries(secrets)) {
    expect([name, stack.logs.lines.find((line) => line.includes(secret))]).toEqual([
      name,
      undefined,
    ]);
    expect([name, answers.find((answer) => answer.includes(secret))]).toEqual([name, undefined]);
  }
  const masterKey = Buffer.alloc(32, 7).toString("base64");
  expect(stack.logs.includes(masterKey)).toBe(false);
});

test("every request has one log line with its id, status and team, and without its query", async () => {
  const team = await stack.createTeam();
  const response = await team.client.request("GET", "/v1/teams?limit=7&note=in-the-query");
  const id = response.headers.get("x-request-id");
  await response.text();
  await expect
    .poll(() => stack.logs.entries.filter((entry) => entry["request_id"] === id))
    .toMatchObject([
      {
        event: "request",
        method: "GET",
        path: "/v1/teams",
        status: 200,
        team_id: team.teamId,
        key_id: team.keyId,
      },
    ]);
  expect(stack.logs.includes("in-the-query")).toBe(false);
});
