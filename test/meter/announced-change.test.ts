import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";

/** A change of a team whose maker dies between its commit and telling the Meter holds all the same. */

let stack: Stack;
beforeAll(
  async () => (stack = await startStack({ postgres: inject("postgres"), workers: ["api"] })),
);
afterAll(() => stack?.stop());

/** The Meter looks an announced change up after 2, 4, 8 … seconds. */
const LOOKED_UP_MS = 10_000;

it.each([
  ["the only one", false],
  ["one of two, of which the other was told", true],
])("when the change is %s", async (_, another) => {
  const team = await stack.createTeam();
  const makeKey = (name: string) =>
    stack.admin.expect<{ id: string; key: string }>(201, "POST", "/v1/keys", {
      name,
      team_id: team.teamId,
    });
  const [ended, key] = [await makeKey("ended"), await makeKey("key")];
  await stack.admin.expect(204, "POST", `/v1/keys/${ended.id}/revoke`);

  // Announced, and never told of: the change is refused within its transaction.
  await stack.admin.expect(409, "PATCH", `/v1/keys/${ended.id}`, { name: "other" });
  const announcedAt = Date.now();
  if (another) await stack.admin.expect(200, "PATCH", `/v1/keys/${key.id}`, { name: "other" });
  await stack.client(key.key).expect(200, "GET", "/v1/models"); // its record is in the shared cache now

  // What the dead maker had committed.
  await stack.sql("UPDATE api_keys SET revoked_at = now() WHERE id = $1", [key.id]);
  await stack.sql("UPDATE teams SET epoch = epoch + 1 WHERE id = $1", [team.teamId]);

  await eventually(() => expect(Date.now() - announcedAt).toBeGreaterThan(LOOKED_UP_MS));
  // An isolate that has never seen the key finds its old record in the cache, and only the Meter can tell it better.
  const elsewhere = await stack.startSecondApi();
  try {
    const answer = await elsewhere.client(key.key).request("GET", "/v1/models");
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ error: { code: "revoked_api_key" } });
  } finally {
    await elsewhere.stop();
  }
});
