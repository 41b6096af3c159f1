import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack, SUPER_ADMIN_KEY, WEBHOOK_SECRET } from "#test/harness/stack.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";
import { type BotApi, startBotApi } from "./bot-api-server.ts";
import type { Person } from "./bot-api/people.ts";
import { deliverTo } from "./deliver-to.ts";

/** From when on a switch has to hold everywhere. */
const WITHIN_MS = 1_000;
/** People who write at the same moment, each in an object of their own. */
const PEOPLE = 4;

/** Switches that are thrown in another api process than the one that the bot asks. */
let stack: Stack;
let second: Awaited<ReturnType<Stack["startSecondApi"]>>;
let thrower: ApiClient;
let telegram: BotApi;
let provider: FaultProvider;
let providerName: string;

beforeAll(async () => {
  [telegram, provider] = await Promise.all([
    startBotApi({ backoffScale: 0.05 }),
    startFaultProvider(),
  ]);
  stack = await startStack({
    postgres: inject("postgres"),
    workers: ["api", "bot"],
    vars: { TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_API_ROOT: telegram.url },
  });
  second = await stack.startSecondApi();
  thrower = second.client(SUPER_ADMIN_KEY);
  providerName = "switched";
  await stack.admin.expect(201, "PUT", `/v1/admin/providers/${providerName}`, {
    base_url: provider.url,
    api_key: "sk-test",
  });
  await stack.admin.expect(201, "PUT", "/v1/admin/models/fault-1", {
    targets: [{ provider: providerName, model: "fault-1" }],
  });
  deliverTo(telegram, stack.urls.bot, WEBHOOK_SECRET);
});
afterAll(async () => {
  await telegram?.stop();
  await second?.stop();
  await stack?.stop();
  await provider?.stop();
});

const answersOf = (person: Person) =>
  telegram
    .answersIn(person.chat)
    .filter((message) => !message.replyMarkup && message.text !== "…")
    .map((message) => message.text ?? "");

async function ask(person: Person, text: string): Promise<string> {
  const before = answersOf(person).length;
  person.says(text);
  await eventually(() => expect(answersOf(person).length).toBeGreaterThan(before));
  return answersOf(person).at(-1) ?? "";
}

type Team = Awaited<ReturnType<Stack["createTeam"]>>;

/** People of a team, who use its one model and have just been answered: nothing is cold. */
async function warmPeople(team: Team): Promise<Person[]> {
  const people = Array.from({ length: PEOPLE }, () => telegram.addPerson());
  for (const person of people) {
    const { command } = await team.client.expect<{ command: string }>(
      201,
      "POST",
      "/v1/telegram/link-codes",
      {},
    );
    expect(await ask(person, command)).toContain("now linked");
    person.says("/model");
    await eventually(() =>
      expect(telegram.answersIn(person.chat).at(-1)?.replyMarkup).toBeDefined(),
    );
    person.taps("fault-1");
    await eventually(() => expect(answersOf(person).at(-1)).toContain("fault-1"));
  }
  await Promise.all(people.map((person) => ask(person, "Warm up.")));
  return people;
}

const throwSwitch = (body: object) => thrower.expect(200, "PUT", "/v1/admin/switches", body);
/** Waits as long as a switch may take, and no longer. */
const aSecond = () => new Promise((resolve) => setTimeout(resolve, WITHIN_MS));
const hear = (people: Person[], text: string) =>
  Promise.all(people.map((person) => ask(person, text)));

/** Throws a switch, asks everybody a second later, and turns it back. */
async function holdsInTheBot(
  people: Person[],
  { off, on, says }: { off: object; on: object; says: string },
): Promise<void> {
  try {
    await throwSwitch(off);
    await aSecond();
    for (const answer of await hear(people, "Are you there?")) expect(answer).toContain(says);
  } finally {
    await throwSwitch(on);
  }
  await aSecond();
  for (const answer of await hear(people, "And now?")) expect(answer).not.toContain(says);
}

describe("a switch that is thrown in one api process holds in the bot within a second", () => {
  it("of the bot itself: nobody is answered, and each chat is told once", async () => {
    const people = await warmPeople(await stack.createTeam());
    const asked = provider.requests.length;
    await holdsInTheBot(people, {
      off: { bot: "off" },
      on: { bot: "on" },
      says: "switched off for a while",
    });
    // Of those only "And now?" came to the model.
    expect(provider.requests.length - asked).toBe(PEOPLE);
  });

  it("of a provider", async () => {
    const people = await warmPeople(await stack.createTeam());
    await holdsInTheBot(people, {
      off: { providers: { [providerName]: "off" } },
      on: { providers: { [providerName]: "on" } },
      says: "This model is switched off",
    });
  });

  it("of a team, and of no other one", async () => {
    const [team, other] = [await stack.createTeam(), await stack.createTeam()];
    const [people, bystanders] = [await warmPeople(team), await warmPeople(other)];
    await throwSwitch({ teams: { [team.teamId]: "off" } });
    await aSecond();
    for (const answer of await hear(bystanders, "Do you hear me?"))
      expect(answer).not.toContain("switched off");
    await holdsInTheBot(people, {
      off: { teams: { [team.teamId]: "off" } },
      on: { teams: { [team.teamId]: "on" } },
      says: "Your team is switched off",
    });
  });

  it("of all writes: codes link nothing, and questions are answered", async () => {
    const team = await stack.createTeam();
    const people = await warmPeople(team);
    const code = () =>
      team.client.expect<{ command: string }>(201, "POST", "/v1/telegram/link-codes", {});
    const { command } = await code();
    const newcomer = telegram.addPerson();
    try {
      await throwSwitch({ writes: "off" });
      await aSecond();
      expect(await ask(newcomer, command)).toContain("Nothing can be changed right now");
      for (const answer of await hear(people, "Are you there?"))
        expect(answer).not.toContain("Nothing can be changed");
    } finally {
      await throwSwitch({ writes: "on" });
    }
    await aSecond();
    expect(await ask(newcomer, command)).toContain("now linked");
  });
});
