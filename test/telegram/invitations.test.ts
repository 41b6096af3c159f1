import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import type { Stack } from "#test/harness/stack.ts";
import type { FaultProvider } from "#test/providers/fault-provider.ts";
import type { BotApi } from "./bot-api-server.ts";
import type { Person } from "./bot-api/people.ts";
import { startTelegramStack, type TelegramStack } from "./telegram-stack.ts";

/** Telegram users who join teams by invitations of the real api Worker. */
let started: TelegramStack;
let stack: Stack;
let telegram: BotApi;
let provider: FaultProvider;

beforeAll(async () => {
  started = await startTelegramStack({ postgres: inject("postgres") });
  ({ stack, telegram, provider } = started);
});
afterAll(async () => {
  await started?.stop();
});

type Team = Awaited<ReturnType<Stack["createTeam"]>>;

const finished = (person: Person, chat = person.chat) =>
  telegram
    .answersIn(chat)
    .filter((message) => message.text !== "…" && !JSON.stringify(message).includes("stop:"));

async function ask(person: Person, text: string, chat = person.chat): Promise<string> {
  const before = finished(person, chat).length;
  person.says(text, { in: chat });
  await eventually(() => expect(finished(person, chat).length).toBeGreaterThan(before));
  return finished(person, chat).at(-1)?.text ?? "";
}

const invite = (team: Team, body: object = {}) =>
  team.client.expect<{ id: string; telegram_command: string }>(
    201,
    "POST",
    `/v1/teams/${team.teamId}/invitations`,
    body,
  );

const membersOf = async ({ client, teamId }: Team) =>
  (
    await client.expect<{ data: { id: string; name: string; role: string; identity: unknown }[] }>(
      200,
      "GET",
      `/v1/teams/${teamId}/members`,
    )
  ).data;

const requestsOf = async ({ client }: Team, person: Person) => {
  const query = `group_by=end_user&end_user=${encodeURIComponent(`tg:${person.user.id}`)}`;
  const { data } = await client.expect<{ data: { requests: number }[] }>(
    200,
    "GET",
    `/v1/usage?${query}`,
  );
  return data[0]?.requests ?? 0;
};

describe("a Telegram user with an invitation", () => {
  it("joins the team by its deep link, once, and is charged to it", async () => {
    const team = await stack.createTeam({ name: "Apples" });
    const { telegram_command: command } = await invite(team);
    const [mina, reza] = [telegram.addPerson({ first_name: "Mina" }), telegram.addPerson()];
    expect(await ask(mina, "hello")).toContain("not linked to a team yet");
    expect(await ask(mina, command)).toContain("Welcome to the team Apples");
    expect(await ask(mina, command)).toContain("Welcome to the team Apples");
    expect(await ask(reza, command)).toContain("used, revoked or over its time");
    expect(await ask(reza, "/start inv_nonsense")).toContain("no such invitation");
    expect(await ask(reza, "hello")).toContain("not linked to a team yet");
    expect(await membersOf(team)).toMatchObject([
      {
        name: expect.stringContaining("Mina"),
        role: "member",
        email: null,
        identity: { issuer: "https://telegram.org", subject: String(mina.user.id) },
      },
    ]);
    await ask(mina, "Count me.");
    await eventually(async () => expect(await requestsOf(team, mina)).toBe(1));
    const { data } = await team.client.expect<{ data: { actor: unknown }[] }>(
      200,
      "GET",
      "/v1/audit?action=invitation.accept",
    );
    expect(data).toMatchObject([{ actor: { kind: "telegram", user: `tg:${mina.user.id}` } }]);
  });

  it("and with several teams switches between them, and starts a conversation of each team's own", async () => {
    const teams = [
      await stack.createTeam({ name: "Pears" }),
      await stack.createTeam({ name: "Plums" }),
    ] as const;
    const person = telegram.addPerson();
    expect(await ask(person, "/team")).toContain("not linked to a team yet");
    await ask(person, (await invite(teams[0])).telegram_command);
    expect(await ask(person, "/team")).toContain("uses the team Pears; it has no other one");
    await ask(person, "My secret is tangerine.");
    await ask(person, (await invite(teams[1])).telegram_command);
    await ask(person, "Which secret?");
    const second = provider.requests.find((one) => one.text.includes("Which secret?"));
    expect(second?.text).not.toContain("tangerine");
    await eventually(async () => expect(await requestsOf(teams[1], person)).toBe(1));
    expect(await ask(person, "/team")).toContain("uses the team Plums. Choose another");
    person.taps("Pears");
    await eventually(() =>
      expect(finished(person).at(-1)?.text).toContain("uses the team Pears from now on"),
    );
    await ask(person, "Who pays now?");
    await eventually(async () => expect(await requestsOf(teams[0], person)).toBe(2));
    expect(await requestsOf(teams[1], person)).toBe(1);
  });

  it("loses the team with the membership, and goes on with the other one", async () => {
    const [kept, lost] = [
      await stack.createTeam({ name: "Kept" }),
      await stack.createTeam({ name: "Lost" }),
    ];
    const person = telegram.addPerson();
    await ask(person, (await invite(kept)).telegram_command);
    await ask(person, (await invite(lost)).telegram_command);
    const [member] = await membersOf(lost);
    await lost.client.expect(204, "DELETE", `/v1/teams/${lost.teamId}/members/${member?.id}`);
    await eventually(async () => expect(await ask(person, "/whoami")).toContain("Team: Kept"));
    const [last] = await membersOf(kept);
    await kept.client.expect(204, "DELETE", `/v1/teams/${kept.teamId}/members/${last?.id}`);
    await eventually(async () => expect(await ask(person, "/whoami")).toContain("Team: none"));
  });

  it("is a viewer without a chat, and is told where an invitation is not for Telegram", async () => {
    const team = await stack.createTeam({ name: "Watchers" });
    const person = telegram.addPerson();
    const watching = await invite(team, { role: "viewer" });
    expect(await ask(person, watching.telegram_command)).toContain("as a viewer");
    expect(await ask(person, "hello")).toContain("not linked to a team yet");
    const personal = await invite(team, { email: "mina@example.com" });
    expect(await ask(person, personal.telegram_command)).toContain("for one e-mail address");
  });

  it("accepts it in a private chat only", async () => {
    const team = await stack.createTeam({ name: "Loud" });
    const person = telegram.addPerson();
    const group = telegram.addGroup({ administrators: [person] });
    const { telegram_command: command } = await invite(team);
    expect(await ask(person, command, group)).toContain("in a private chat");
    expect(await membersOf(team)).toEqual([]);
    expect(await ask(person, command)).toContain("Welcome to the team Loud");
  });

  it("changes nothing while all writes are switched off", async () => {
    const team = await stack.createTeam({ name: "Closed" });
    const person = telegram.addPerson();
    const { telegram_command: command } = await invite(team);
    await stack.admin.expect(200, "PUT", "/v1/admin/switches", { writes: "off" });
    await eventually(async () =>
      expect(await ask(person, "/start 000000000000000000000000")).toContain(
        "Nothing can be changed right now",
      ),
    );
    expect(await ask(person, command)).toContain("Nothing can be changed right now");
    await stack.admin.expect(200, "PUT", "/v1/admin/switches", { writes: "on" });
    await eventually(async () =>
      expect(await ask(person, command)).toContain("Welcome to the team Closed"),
    );
  });
});
