import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { openTestDatabase, scheduleContext, type TestDatabase } from "#test/usage/database.ts";
import { ENDED_KEY_DAYS, expireKeys } from "./expire-keys.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(inject("postgres"));
  await database.pool.query("INSERT INTO teams (id, name) VALUES ('team_a', 'A')");
});
afterAll(() => database.drop());

const NOW = new Date("2026-11-21T04:37:00.000Z");
const ago = (days: number) => new Date(NOW.getTime() - days * 86_400_000);
const run = () => expireKeys.run(scheduleContext(database.context({ now: NOW })));
const ids = async (query: string) => (await database.pool.query(query)).rows.map((row) => row.id);

const addKey = (id: string, fields: Record<string, unknown>) => {
  const row = {
    id,
    team_id: "team_a",
    name: id,
    prefix: "sy_live_ab12",
    hash: id,
    scopes: "{chat}",
    ...fields,
  };
  const names = Object.keys(row);
  return database.pool.query(
    `INSERT INTO api_keys (${names.join(", ")}) VALUES (${names.map((_, index) => `$${index + 1}`).join(", ")})`,
    Object.values(row),
  );
};

it("removes keys that ended long ago and keeps those that ended lately, live ones and those to come", async () => {
  await addKey("key_live", {});
  await addKey("key_to_end", { expires_at: ago(-1) });
  await addKey("key_ended_lately", { expires_at: ago(ENDED_KEY_DAYS - 1) });
  await addKey("key_ended_long_ago", { expires_at: ago(ENDED_KEY_DAYS + 1) });
  await addKey("key_revoked_lately", { revoked_at: ago(1) });
  await addKey("key_revoked_long_ago", {
    revoked_at: ago(ENDED_KEY_DAYS + 1),
    expires_at: ago(-100),
  });
  expect(await run()).toMatchObject({ keys_deleted: 2 });
  expect(await ids("SELECT id FROM api_keys ORDER BY id")).toEqual([
    "key_ended_lately",
    "key_live",
    "key_revoked_lately",
    "key_to_end",
  ]);
});

it("forgets the hash of a key that was rotated away once its grace is over, not before", async () => {
  await addKey("key_in_grace", { previous_hash: "old_1", previous_expires_at: ago(-0.5) });
  await addKey("key_after_grace", { previous_hash: "old_2", previous_expires_at: ago(0.5) });
  expect(await run()).toMatchObject({ rotated_keys_forgotten: 1 });
  expect(await ids("SELECT id FROM api_keys WHERE previous_hash IS NOT NULL")).toEqual([
    "key_in_grace",
  ]);
});

it("removes expired link codes, used or not, and answers that are kept for more than a day", async () => {
  await database.pool.query(
    `INSERT INTO telegram_link_codes (code_hash, team_id, created_by, expires_at, used_at) VALUES
      ('expired', 'team_a', 'super_admin', $1, NULL), ('used', 'team_a', 'super_admin', $1, $1),
      ('good', 'team_a', 'super_admin', $2, NULL)`,
    [ago(0.1), ago(-0.1)],
  );
  await database.pool.query(
    `INSERT INTO idempotency_keys (owner, key, request_hash, status, response_sealed, created_at) VALUES
      ('key:a', 'old', '', 201, '', $1), ('key:a', 'new', '', 201, '', $2)`,
    [ago(1.01), ago(0.99)],
  );
  expect(await run()).toMatchObject({ link_codes_deleted: 2, kept_answers_deleted: 1 });
  expect(await ids("SELECT code_hash AS id FROM telegram_link_codes")).toEqual(["good"]);
  expect(await ids("SELECT key AS id FROM idempotency_keys")).toEqual(["new"]);
});

it("removes invitations that ended long ago, with whom they let in, and keeps the members", async () => {
  await database.pool.query(
    `INSERT INTO invitations (id, team_id, token_hash, role, uses, expires_at, revoked_at, created_by) VALUES
      ('old', 'team_a', 'h1', 'member', 1, $1, NULL, 'super_admin'),
      ('revoked', 'team_a', 'h2', 'member', 1, $2, $1, 'super_admin'),
      ('lately', 'team_a', 'h3', 'member', 1, $3, NULL, 'super_admin'),
      ('good', 'team_a', 'h4', 'member', 1, $2, NULL, 'super_admin')`,
    [ago(ENDED_KEY_DAYS + 1), ago(-1), ago(1)],
  );
  await database.pool.query(
    "INSERT INTO members (id, team_id, name, role) VALUES ('mem_1', 'team_a', 'M', 'member')",
  );
  await database.pool.query(
    "INSERT INTO invitation_uses VALUES ('old', 'https://issuer', 'sub', 'mem_1', now())",
  );
  expect(await run()).toMatchObject({ invitations_deleted: 2 });
  expect(await ids("SELECT id FROM invitations ORDER BY id")).toEqual(["good", "lately"]);
  expect(await ids("SELECT id FROM members")).toEqual(["mem_1"]);
  expect(await ids("SELECT member_id AS id FROM invitation_uses")).toEqual([]);
});

it("does nothing more when it runs again, or twice at once", async () => {
  const nothing = {
    keys_deleted: 0,
    rotated_keys_forgotten: 0,
    link_codes_deleted: 0,
    invitations_deleted: 0,
    kept_answers_deleted: 0,
  };
  expect(await Promise.all([run(), run()])).toEqual([nothing, nothing]);
});
