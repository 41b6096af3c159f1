import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Principal } from "#core/kernel/principal.ts";
import { openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { audit } from "./audit.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(inject("postgres"));
});
afterAll(() => database?.drop());

const NOW = new Date();
const write = (targetId: string, principal?: Principal) =>
  database
    .context({ now: NOW, ...(principal && { principal }) })
    .transaction((inner) =>
      audit(inner, { action: "thing.make", teamId: "team_x", targetId, after: { name: "a" } }),
    );
const count = async (targetId: string) =>
  (await database.pool.query("SELECT 1 FROM audit_entries WHERE target_id = $1", [targetId]))
    .rowCount;

describe("the audit log", () => {
  it("keeps an entry of a change whose transaction is committed, and none of one that is rolled back", async () => {
    await write("kept");
    expect(await count("kept")).toBe(1);
    const failing = database.context().transaction(async (inner) => {
      await audit(inner, { action: "thing.make", teamId: null, targetId: "lost", after: {} });
      throw new Error("afterwards");
    });
    await expect(failing).rejects.toThrow("afterwards");
    expect(await count("lost")).toBe(0);
  });

  it("refuses to be changed, wherever one takes hold of it", async () => {
    await write("held");
    const { rows } = await database.pool.query<{ name: string }>(
      "SELECT tableoid::regclass::text AS name FROM audit_entries WHERE target_id = 'held'",
    );
    const partition = rows[0]?.name ?? "";
    expect(partition).toMatch(/^audit_entries_\d{4}_\d{2}$/);
    for (const table of ["audit_entries", partition]) {
      for (const statement of [
        `UPDATE ${table} SET action = 'other.thing' WHERE target_id = 'held'`,
        `UPDATE ${table} SET at = at - interval '1 month' WHERE target_id = 'held'`,
        `DELETE FROM ${table} WHERE target_id = 'held'`,
        `TRUNCATE ${table}`,
        `TRUNCATE teams, ${table} CASCADE`,
        `MERGE INTO ${table} a USING (VALUES ('held')) v(id) ON a.target_id = v.id WHEN MATCHED THEN DELETE`,
        `INSERT INTO ${table} SELECT * FROM ${table} WHERE target_id = 'held'
           ON CONFLICT (at, id) DO UPDATE SET action = 'other.thing'`,
      ])
        await expect(database.pool.query(statement), statement).rejects.toThrow(/append-only/);
    }
    for (const statement of ["TRUNCATE audit_entries_default", "TRUNCATE teams CASCADE"]) {
      const refused = statement.includes("audit");
      const outcome = database.pool.query(statement);
      if (refused) await expect(outcome).rejects.toThrow(/append-only/);
      else await outcome;
    }
    expect(await count("held")).toBe(1);
  });

  it("moves entries of a month that had no partition when the month gets one, and loses whole months only", async () => {
    const later = new Date(Date.UTC(NOW.getUTCFullYear(), NOW.getUTCMonth() + 7, 3));
    await database
      .context({ now: later })
      .transaction((inner) =>
        audit(inner, { action: "thing.make", teamId: null, targetId: "future", after: {} }),
      );
    const where = async () =>
      (
        await database.pool.query<{ name: string }>(
          "SELECT tableoid::regclass::text AS name FROM audit_entries WHERE target_id = 'future'",
        )
      ).rows[0]?.name;
    expect(await where()).toBe("audit_entries_default");
    await database.pool.query("SELECT ensure_audit_partitions($1, 0)", [later]);
    expect(await where()).toMatch(/^audit_entries_\d{4}_\d{2}$/);
    await expect(
      database.pool.query("DELETE FROM audit_entries WHERE target_id = 'future'"),
    ).rejects.toThrow(/append-only/);
    await expect(database.pool.query("TRUNCATE audit_entries_default")).rejects.toThrow();
    // A month goes once it is over, not before.
    await database.pool.query("SELECT drop_audit_partitions($1)", [later]);
    expect(await count("future")).toBe(1);
    expect(await count("kept")).toBe(0);
  });

  it("names the actor by what cannot be used in their place", async () => {
    await write("by-admin", { kind: "super_admin", teamId: null, fingerprint: "0123456789ab" });
    const chat = { kind: "telegram", teamId: "team_x", chatId: "5", endUser: "tg:7" } as const;
    await write("by-chat", { ...chat, scopes: [] });
    const { rows } = await database.pool.query(
      "SELECT target_id, actor_kind, actor_id, actor_user FROM audit_entries WHERE target_id LIKE 'by-%' ORDER BY 1",
    );
    expect(rows).toEqual([
      {
        target_id: "by-admin",
        actor_kind: "super_admin",
        actor_id: "0123456789ab",
        actor_user: null,
      },
      { target_id: "by-chat", actor_kind: "telegram", actor_id: "5", actor_user: "tg:7" },
    ]);
  });
});
