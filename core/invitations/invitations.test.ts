import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { newId } from "../kernel/ids.ts";
import type { Role } from "../kernel/permissions.ts";
import type { Principal } from "../kernel/principal.ts";
import { deleteMember } from "../members/delete-member.ts";
import type { Person } from "../members/person.ts";
import { updateMember } from "../members/update-member.ts";
import { deleteTeam } from "../teams/delete-team.ts";
import { chooseTeam } from "../telegram/choose-team.ts";
import { findLink, listChatTeams } from "../telegram/find-link.ts";
import { acceptInChat } from "./accept-in-chat.ts";
import { acceptInvitation } from "./accept-invitation.ts";
import { createInvitation, createInvitationInput } from "./create-invitation.ts";
import { listInvitations } from "./list-invitations.ts";
import { previewInvitation } from "./preview-invitation.ts";
import { revokeInvitation } from "./revoke-invitation.ts";

let database: TestDatabase;
let now = new Date("2026-11-21T10:00:00Z");
const [A, B] = [newId("team"), newId("team")];
const KEY = newId("key");

beforeAll(async () => {
  database = await openTestDatabase(inject("postgres"));
});
afterAll(() => database.drop());
beforeEach(async () => {
  now = new Date("2026-11-21T10:00:00Z");
  await database.pool.query("TRUNCATE teams CASCADE");
  await database.pool.query("INSERT INTO teams (id, name) VALUES ($1, 'Apples'), ($2, 'Pears')", [
    A,
    B,
  ]);
  await database.pool.query(
    "INSERT INTO api_keys (id, team_id, name, prefix, hash, scopes) VALUES ($1, $2, 'k', 'p', 'h', '{admin}')",
    [KEY, A],
  );
});

const keyOf = (teamId: string, scopes: ("admin" | "chat")[] = ["admin"]): Principal => ({
  kind: "key",
  teamId,
  keyId: KEY,
  scopes,
  models: ["*"],
});
const superAdmin: Principal = { kind: "super_admin", teamId: null };
const memberOf = (id: string, role: Role): Principal => ({
  kind: "token",
  teamId: A,
  issuer: "https://issuer.test",
  subject: id,
  member: { id, role },
  scopes: role === "owner" ? ["owner", "admin"] : role === "admin" ? ["admin"] : ["chat"],
  models: ["*"],
  endUser: null,
});
const person = (subject: string, more: Partial<Person> = {}): Person => ({
  issuer: "https://issuer.test",
  subject,
  email: `${subject}@example.com`,
  name: `Name of ${subject}`,
  ...more,
});

const invite = (input: object = {}, principal: Principal = keyOf(A), teamId = A) =>
  database
    .context({ principal, now })
    .transaction((inner) =>
      createInvitation(inner, { ...createInvitationInput.parse(input), teamId }),
    );
const accept = (token: string, who: Person, among: string[] | null = null) =>
  acceptInvitation(
    database.context({
      principal: { kind: "person", teamId: null, issuer: who.issuer, subject: who.subject },
      now,
    }),
    { token, person: who, among },
  );
const revoke = (invitationId: string, principal = keyOf(A), teamId = A) =>
  revokeInvitation(database.context({ principal, now }), { teamId, invitationId });
const list = async (principal = keyOf(A)) =>
  (await listInvitations(database.context({ principal, now }), { teamId: A, limit: 50 })).items;
const membersOf = async (teamId = A) =>
  (
    await database.pool.query(
      "SELECT id, name, email, role, issuer, subject FROM members WHERE team_id = $1 ORDER BY id",
      [teamId],
    )
  ).rows as { id: string; role: Role; subject: string }[]; // the columns that are asked for
/** What the audit log says of a thing. */
const entriesOf = async (targetId: string) =>
  (
    await database.pool.query(
      "SELECT action, actor_kind, actor_id FROM audit_entries WHERE target_id = $1 ORDER BY action DESC",
      [targetId],
    )
  ).rows;
const epochOf = async (teamId: string) =>
  Number(
    (await database.pool.query("SELECT epoch FROM teams WHERE id = $1", [teamId])).rows[0]?.epoch,
  );

describe("an invitation", () => {
  it("makes whoever follows it a member, once, and is in the audit log", async () => {
    const { invitation, token } = await invite({ role: "member" });
    expect(invitation).toMatchObject({
      role: "member",
      uses: 1,
      used: 0,
      state: "open",
      createdBy: `key:${KEY}`,
      expiresAt: new Date("2026-11-28T10:00:00Z"),
    });
    expect(token).toMatch(/^inv_[0-9a-z]{32}$/);
    expect(token.length).toBeLessThanOrEqual(64);
    const epoch = await epochOf(A);
    const admission = await accept(token, person("ada"));
    expect(admission).toMatchObject({ teamId: A, teamName: "Apples", changed: true });
    expect(await membersOf()).toMatchObject([
      {
        name: "Name of ada",
        email: "ada@example.com",
        role: "member",
        issuer: "https://issuer.test",
        subject: "ada",
      },
    ]);
    expect(await epochOf(A)).toBe(epoch + 1);
    await expect(accept(token, person("eve"))).rejects.toMatchObject({ code: "invitation_ended" });
    expect(await list()).toMatchObject([{ id: invitation.id, used: 1, state: "used" }]);
    const who = { actor_kind: "person", actor_id: "https://issuer.test ada" };
    expect(await entriesOf(invitation.id)).toEqual([
      { action: "invitation.create", actor_kind: "key", actor_id: KEY },
      { action: "invitation.accept", ...who },
    ]);
    expect(await entriesOf(admission.member.id)).toEqual([{ action: "member.create", ...who }]);
  });

  it("keeps its secret nowhere in the clear", async () => {
    const { token, invitation } = await invite();
    const { rows } = await database.pool.query("SELECT * FROM invitations");
    const { rows: entries } = await database.pool.query("SELECT * FROM audit_entries");
    const text = JSON.stringify([rows, entries, invitation, await list()]);
    expect(text).not.toContain(token);
    expect(JSON.stringify([entries, invitation, await list()])).not.toContain(rows[0].token_hash);
  });

  it("answers the same person alike however often they accept, also at the same moment, and uses one up", async () => {
    const { token } = await invite({ uses: 5 });
    const first = await accept(token, person("ada"));
    const all = await Promise.all(Array.from({ length: 6 }, () => accept(token, person("ada"))));
    expect(new Set(all.map(({ member }) => member.id))).toEqual(new Set([first.member.id]));
    expect(all.map(({ changed }) => changed)).toEqual(Array.from({ length: 6 }, () => false));
    const { token: other } = await invite({ uses: 5, role: "admin" });
    const at = await Promise.all(Array.from({ length: 6 }, () => accept(other, person("bo"))));
    expect(at.filter(({ changed }) => changed)).toHaveLength(1);
    expect((await list()).map(({ used }) => used)).toEqual([1, 1]);
    expect(await membersOf()).toHaveLength(2);
    const epoch = await epochOf(A);
    await accept(token, person("ada"));
    expect(await epochOf(A)).toBe(epoch);
  });

  it("lets exactly as many in as it says, of many who come at the same moment", async () => {
    for (const uses of [1, 3]) {
      const { token } = await invite({ uses });
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) => accept(token, person(`p${uses}-${index}`))),
      );
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(uses);
      for (const outcome of outcomes)
        if (outcome.status === "rejected")
          expect(outcome.reason).toMatchObject({ code: "invitation_ended" });
    }
    expect(await membersOf()).toHaveLength(4);
  });

  it("ends with its time, and when it is revoked, which is possible twice", async () => {
    const { token, invitation } = await invite({ expires_in_seconds: 60 });
    now = invitation.expiresAt;
    await expect(accept(token, person("ada"))).rejects.toMatchObject({
      code: "invitation_ended",
      details: { why: "expired" },
    });
    const second = await invite();
    await revoke(second.invitation.id);
    await revoke(second.invitation.id);
    await expect(accept(second.token, person("ada"))).rejects.toMatchObject({
      code: "invitation_ended",
      details: { why: "revoked" },
    });
    expect((await list()).map(({ state }) => state)).toEqual(["revoked", "expired"]);
    const entries = await entriesOf(second.invitation.id);
    expect(entries.map(({ action }) => action)).toEqual(["invitation.revoke", "invitation.create"]);
    expect(await membersOf()).toEqual([]);
  });

  it.each(["", "inv_", "x", `inv_${"0".repeat(32)}`, `inv_${"U".repeat(32)}`, "' OR 1=1 --"])(
    "that nobody made lets nobody in: %j",
    async (token) => {
      await expect(accept(token, person("ada"))).rejects.toMatchObject({ code: "not_found" });
      expect(await previewInvitation(database.context({ now }), token)).toBeNull();
    },
  );

  it("is found by its whole secret only, and by the link that holds it", async () => {
    const { token } = await invite();
    const last = token.endsWith("0") ? "1" : "0";
    for (const near of [
      token.slice(0, -1),
      token.slice(0, -1) + last,
      `${token}0`,
      token.toUpperCase(),
    ])
      await expect(accept(near, person("ada"))).rejects.toMatchObject({ code: "not_found" });
    await accept(`https://example.com/join/${token}`, person("ada"));
  });

  it("belongs to its team: another team's keys neither see nor revoke it", async () => {
    const { invitation, token } = await invite();
    for (const teamId of [A, B])
      await expect(revoke(invitation.id, keyOf(B), teamId)).rejects.toMatchObject({
        code: "not_found",
      });
    await expect(list(keyOf(B))).rejects.toMatchObject({ code: "not_found" });
    await expect(invite({}, keyOf(B), A)).rejects.toMatchObject({ code: "not_found" });
    await expect(list(keyOf(A, ["chat"]))).rejects.toMatchObject({ code: "missing_scope" });
    await expect(invite({}, keyOf(A, ["chat"]))).rejects.toMatchObject({ code: "missing_scope" });
    await expect(accept(token, person("ada"), [B])).rejects.toMatchObject({ code: "forbidden" });
    await accept(token, person("ada"), [B, A]);
    expect(await membersOf(B)).toEqual([]);
  });

  it("goes with its team, also while somebody accepts", async () => {
    for (let round = 0; round < 5; round++) {
      await database.pool.query(
        "INSERT INTO teams (id, name) VALUES ($1, 'T') ON CONFLICT DO NOTHING",
        [A],
      );
      const { token } = await invite({}, superAdmin);
      const context = database.context({ principal: superAdmin, now });
      const [accepted] = await Promise.allSettled([
        accept(token, person(`ada-${round}`)),
        deleteTeam(context, { teamId: A }),
      ]);
      if (accepted.status === "rejected")
        expect(accepted.reason).toMatchObject({ code: "not_found" });
      expect(await membersOf()).toEqual([]);
      await expect(accept(token, person("bo"))).rejects.toMatchObject({ code: "not_found" });
    }
  });
});

describe("nobody invites above their own role", () => {
  it.each([
    ["a key", keyOf(A), "owner", "forbidden"],
    ["a key", keyOf(A), "admin", null],
    ["an admin", memberOf(newId("member"), "admin"), "owner", "forbidden"],
    ["an admin", memberOf(newId("member"), "admin"), "viewer", null],
    ["an owner", memberOf(newId("member"), "owner"), "owner", null],
    ["a member", memberOf(newId("member"), "member"), "viewer", "missing_scope"],
    ["a super admin", superAdmin, "owner", null],
  ] as const)("%s invites an %s", async (_who, principal, role, refused) => {
    const work = invite({ role }, principal);
    if (refused) await expect(work).rejects.toMatchObject({ code: refused });
    else expect(await work).toMatchObject({ invitation: { role } });
  });

  it("nor by a link that outlives the role: it ends with the membership or the key that made it", async () => {
    const boss = await accept((await invite({ role: "admin" })).token, person("boss"));
    const links = await Promise.all(
      Array.from({ length: 3 }, () => invite({ role: "admin" }, memberOf(boss.member.id, "admin"))),
    );
    const [one, two, three] = links.map(({ token }) => token);
    const memberId = boss.member.id;
    await accept(one ?? "", person("friend"));
    const admin = database.context({ principal: superAdmin, now });
    await updateMember(admin, { teamId: A, memberId, role: "member" });
    await expect(accept(two ?? "", person("back"))).rejects.toMatchObject({
      code: "invitation_ended",
      details: { why: "unbacked" },
    });
    await deleteMember(admin, { teamId: A, memberId });
    await expect(accept(three ?? "", person("boss"))).rejects.toMatchObject({
      code: "invitation_ended",
    });
    const byKey = await invite();
    await database.pool.query("UPDATE api_keys SET revoked_at = now() WHERE id = $1", [KEY]);
    await expect(accept(byKey.token, person("late"))).rejects.toMatchObject({
      code: "invitation_ended",
    });
  });
});

describe("a member who follows an invitation", () => {
  const join = async (role: Role, who = person("ada")) =>
    accept((await invite({ role }, superAdmin)).token, who);

  it("keeps the higher role, and uses nothing up where nothing is gained", async () => {
    await join("admin");
    const lower = await invite({ role: "viewer" });
    expect(await accept(lower.token, person("ada"))).toMatchObject({
      member: { role: "admin" },
      changed: false,
    });
    const unused = (await list()).find(({ id }) => id === lower.invitation.id);
    expect(unused).toMatchObject({ used: 0, state: "open" });
    await accept(lower.token, person("bo"));
    expect(await join("owner")).toMatchObject({ member: { role: "owner" }, changed: true });
    expect((await membersOf()).map(({ role }) => role).sort()).toEqual(["owner", "viewer"]);
  });

  it("is not raised again by a link that was used before the role was lowered", async () => {
    const { token } = await invite({ role: "admin", uses: 10 });
    const { member } = await accept(token, person("ada"));
    const admin = database.context({ principal: superAdmin, now });
    await updateMember(admin, { teamId: A, memberId: member.id, role: "viewer" });
    expect(await accept(token, person("ada"))).toMatchObject({ member: { role: "viewer" } });
  });

  it("and was removed, does not come back by the same link", async () => {
    const { token } = await invite({ uses: 10 });
    const { member } = await accept(token, person("ada"));
    const admin = database.context({ principal: superAdmin, now });
    await deleteMember(admin, { teamId: A, memberId: member.id });
    await expect(accept(token, person("ada"))).rejects.toMatchObject({ code: "invitation_ended" });
    await accept(token, person("bo"));
  });

  it("and was added by e-mail, is known by their token once an invitation for that e-mail is accepted", async () => {
    await database.pool.query(
      "INSERT INTO members (id, team_id, name, email, role) VALUES ('mem_1', $1, 'Ada', 'ada@example.com', 'admin')",
      [A],
    );
    // Whoever only has a link does not become who was added by e-mail, whatever their issuer says about e-mails.
    await expect(join("member")).rejects.toMatchObject({ code: "conflict" });
    const own = await invite({ role: "member", email: "ada@example.com" });
    expect(await accept(own.token, person("ada"))).toMatchObject({
      member: { id: "mem_1", role: "admin" },
      changed: true,
    });
    expect(await membersOf()).toMatchObject([{ id: "mem_1", subject: "ada" }]);
    const elsewhere = person("ada", { issuer: "https://other.test" });
    await expect(join("owner", elsewhere)).rejects.toMatchObject({ code: "conflict" });
    await join("viewer", { ...elsewhere, email: null });
    expect(await membersOf()).toHaveLength(2);
  });
});

describe("an invitation for an e-mail", () => {
  it("lets in only who has it verified, under the name that it gives", async () => {
    const { token } = await invite({ email: "Ada@Example.com", name: "Countess" });
    for (const who of [person("eve"), person("ada", { email: null })])
      await expect(accept(token, who)).rejects.toMatchObject({ code: "forbidden" });
    await expect(accept(token, person("eve"))).rejects.not.toThrow(/ada@/i);
    expect(await accept(token, person("ada"))).toMatchObject({ member: { name: "Countess" } });
  });

  it("is for one person", () => {
    expect(createInvitationInput.safeParse({ email: "a@b.de", uses: 2 }).success).toBe(false);
    expect(createInvitationInput.safeParse({ uses: 1001 }).success).toBe(false);
    expect(createInvitationInput.safeParse({ role: "boss" }).success).toBe(false);
    expect(createInvitationInput.safeParse({ expires_in_seconds: 91 * 86_400 }).success).toBe(
      false,
    );
  });
});

describe("in Telegram", () => {
  const chat = (token: string, userId = 7) =>
    acceptInChat(database.context({ now }), { token, chatId: userId, userId, name: "Mina" });
  const teamsOf = async (chatId = 7) =>
    (await listChatTeams(database.context({ now }), { chatId })).map(({ teamName }) => teamName);

  it("makes the user a member and gives the private chat the team, and further ones to choose from", async () => {
    const { token } = await invite();
    expect(await chat(token)).toEqual({
      teamId: A,
      teamName: "Apples",
      role: "member",
      linked: true,
    });
    expect(await chat(token)).toMatchObject({ linked: true }); // an update that is worked on twice
    await expect(chat(token, 8)).rejects.toMatchObject({ code: "invitation_ended" });
    now = new Date(now.getTime() + 1_000);
    await chat((await invite({}, superAdmin, B)).token);
    expect(await teamsOf()).toEqual(["Pears", "Apples"]);
    expect(await membersOf()).toMatchObject([
      { name: "Mina", email: null, issuer: "https://telegram.org", subject: "7" },
    ]);
  });

  it("takes the team from the chat again with the membership", async () => {
    await chat((await invite()).token);
    const memberId = (await membersOf())[0]?.id ?? "";
    const admin = database.context({ principal: superAdmin, now });
    await updateMember(admin, { teamId: A, memberId, role: "viewer" });
    expect(await findLink(admin, { chatId: 7 })).toBeNull();
    await chat((await invite({}, superAdmin, B)).token);
    expect(await chooseTeam(admin, { chatId: 7, userId: 7, teamId: A })).toBeNull();
    expect(await findLink(admin, { chatId: 7 })).toMatchObject({ teamId: B });
    await updateMember(admin, { teamId: A, memberId, role: "member" });
    expect(await findLink(admin, { chatId: 7 })).toMatchObject({ teamId: A });
    await deleteMember(admin, { teamId: A, memberId });
    expect(await findLink(admin, { chatId: 7 })).toMatchObject({ teamId: B });
    expect(await teamsOf()).toEqual(["Pears"]);
  });

  it("takes the team from the chat when an admin makes the membership somebody else's", async () => {
    await chat((await invite()).token);
    const memberId = (await membersOf())[0]?.id ?? "";
    const admin = database.context({ principal: superAdmin, now });
    await updateMember(admin, { teamId: A, memberId, name: "Mina K." });
    expect(await teamsOf()).toEqual(["Apples"]);
    const identity = { issuer: "https://issuer.test", subject: "mina" };
    await updateMember(admin, { teamId: A, memberId, identity });
    expect(await teamsOf()).toEqual([]);
    expect(await entriesOf("7")).toContainEqual(
      expect.objectContaining({ action: "telegram_link.delete" }),
    );
  });

  it("lets a viewer in without a chat, and nobody by an invitation for an e-mail", async () => {
    const { token } = await invite({ role: "viewer" });
    expect(await chat(token)).toMatchObject({ role: "viewer", linked: false });
    expect(await teamsOf()).toEqual([]);
    const personal = await invite({ email: "mina@example.com" });
    await expect(chat(personal.token)).rejects.toMatchObject({ code: "forbidden" });
  });
});

it("tells who has the link the team's name, the role and whether it is open, and no more", async () => {
  const { token, invitation } = await invite({ email: "ada@example.com", role: "admin" });
  expect(await previewInvitation(database.context({ now }), token)).toEqual({
    teamName: "Apples",
    role: "admin",
    state: "open",
    expiresAt: invitation.expiresAt,
    personal: true,
  });
});
