import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack, WEBHOOK_SECRET } from "#test/harness/stack.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";
import { readKnownVins } from "#test/vin/known-vins.ts";
import { type BotApi, startBotApi } from "./bot-api-server.ts";
import type { Person } from "./bot-api/people.ts";
import { deliverTo } from "./deliver-to.ts";

const HONDA = "1HGCM82633A004352";
const FORD = "1FTFW5L86RFB45612";
const MISTYPED = "1HGMC82633A004352";

let stack: Stack;
let telegram: BotApi;
let provider: FaultProvider;

beforeAll(async () => {
  [telegram, provider] = await Promise.all([
    startBotApi({ backoffScale: 0.05 }),
    startFaultProvider(),
  ]);
  stack = await startStack({
    postgres: inject("postgres"),
    vars: {
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_ROOT: telegram.url,
      AI_SERVICE_URL: provider.url,
      AI_SERVICE_MODEL: "fault-1",
    },
  });
  deliverTo(telegram, stack.urls.bot, WEBHOOK_SECRET);
});
afterAll(async () => {
  await telegram?.stop();
  await stack?.stop();
  await provider?.stop();
});

const answers = (person: Person) => telegram.answersIn(person.chat);
const texts = (person: Person) => answers(person).map(({ text }) => text ?? "");

/** Somebody whose chat is linked to a team. */
async function linkedPerson(profile = {}) {
  const team = await stack.createTeam();
  const person = telegram.addPerson(profile);
  const { command } = await team.client.expect<{ command: string }>(
    201,
    "POST",
    "/v1/telegram/link-codes",
    {},
  );
  person.says(command);
  await eventually(() => expect(answers(person)).toHaveLength(1));
  return { team, person };
}
const answerAfter = async (person: Person, count: number) => {
  await eventually(() => {
    expect(answers(person)).toHaveLength(count);
    expect(texts(person).at(-1)).not.toBe("…");
  });
  return answers(person).at(-1);
};

describe.concurrent("a message that is nothing but", () => {
  it("a VIN gets a card, and no model is asked", async () => {
    const { person } = await linkedPerson();
    person.says(" 1hgcm826-33a-004352 ");
    const card = await answerAfter(person, 2);
    expect(card?.text).toMatch(/^2003 Honda Accord EX-V6\n1HGCM82633A004352\n/);
    expect(card?.text).toContain("Plant: MARYSVILLE, OHIO, United States");
    expect(card?.text).toContain("Confidence: high");
    expect(card?.entities.map(({ type }) => type)).toEqual(["bold", "code"]);
    expect(card?.history).toHaveLength(1);
    expect(provider.requests.filter(({ text }) => /1hgcm826/i.test(text))).toEqual([]);
  });

  it("a VIN gets it in Persian, with the Latin values kept together", async () => {
    const { person } = await linkedPerson({ language_code: "fa" });
    person.says(HONDA);
    const card = await answerAfter(person, 2);
    expect(card?.text).toContain("کشور: \u2068United States\u2069");
    expect(card?.text).toContain("اطمینان: بالا");
  });

  it("several VINs gets a table, wrong ones with what was probably meant", async () => {
    const { person } = await linkedPerson();
    person.says(`${HONDA}\n${FORD}, ${MISTYPED}`);
    const table = await answerAfter(person, 2);
    expect(table?.text).toMatch(/1HGCM82633A004352 │ ✓ │ 2003 Honda Accord/);
    expect(table?.text).toMatch(/1FTFW5L86RFB45612 │ ✓ │ 2024 Ford F-150/);
    expect(table?.text).toMatch(/1HGMC82633A004352 │ ✗ │/);
    expect(table?.text).toContain(`Did you mean: ${HONDA}`);
    expect(table?.entities[0]?.type).toBe("pre");
  });

  it("more VINs than one request takes gets them all", async () => {
    const { person } = await linkedPerson();
    const known = (await readKnownVins("corgi")).slice(0, 60);
    person.says(known.map(({ vin }) => vin).join(" "));
    await eventually(() => {
      const all = texts(person).slice(1).join("\n");
      for (const { vin } of known) expect(all).toContain(vin);
    });
  });

  it("a mistyped VIN says what is wrong, and a tap on the right one shows its card", async () => {
    const { person } = await linkedPerson();
    person.says(MISTYPED);
    const wrong = await answerAfter(person, 2);
    expect(wrong?.text).toContain("This is no VIN.");
    expect(wrong?.text).toContain("check digit");
    person.taps(HONDA);
    await eventually(() => expect(texts(person).at(-1)).toContain("2003 Honda Accord"));
    expect(answers(person)).toHaveLength(2);
    expect(answers(person).at(-1)?.replyMarkup).toBeUndefined();
  });

  it("a VIN that is too short says so", async () => {
    const { person } = await linkedPerson();
    person.says("1HGCM82633A00435");
    expect((await answerAfter(person, 2))?.text).toContain(
      "A VIN has 17 characters, and this has 16.",
    );
  });
});

describe.concurrent("other messages", () => {
  it("with a VIN in a sentence go to the model", async () => {
    const { person } = await linkedPerson();
    person.says(`Is ${HONDA} worth 5000 dollars?`);
    await answerAfter(person, 2);
    expect(texts(person).at(-1)).not.toContain("Confidence");
    expect(provider.requests.some(({ text }) => text.includes("worth 5000"))).toBe(true);
  });

  it("of a chat without a team get told so, VIN or not", async () => {
    const person = telegram.addPerson();
    person.says(HONDA);
    expect((await answerAfter(person, 1))?.text).toContain("not linked");
  });

  it("with a VIN of a team that has the skill switched off are told so", async () => {
    const { team, person } = await linkedPerson();
    await team.client.expect(200, "PUT", "/v1/skills/vin.decode", { enabled: false });
    await eventually(async () =>
      expect((await team.client.request("GET", `/v1/vin/${HONDA}`)).status).toBe(403),
    );
    person.says(HONDA);
    const answer = await answerAfter(person, 2);
    expect(answer?.text).not.toContain("Accord");
    expect(answer?.text).toContain("req_");
  });

  it("that a modified app sends as a button's data read nothing", async () => {
    const { person } = await linkedPerson();
    const [message] = answers(person);
    if (!message) throw new Error("There is an answer to the link");
    person.tapsData("vin:IOQIOQIOQIOQIOQIO", person.chat, message);
    person.says(HONDA);
    expect((await answerAfter(person, 2))?.text).toContain("Accord");
  });
});

it("answers once and whole when the runtime is killed while it answers", async () => {
  const { person } = await linkedPerson();
  const vins = [HONDA, FORD, HONDA];
  for (const [index, vin] of vins.entries()) {
    person.says(vin);
    if (index === 1) {
      await stack.kill();
      await stack.restart();
      deliverTo(telegram, stack.urls.bot, WEBHOOK_SECRET);
    }
  }
  await eventually(() => expect(answers(person).length).toBeGreaterThanOrEqual(4));
  const shown = texts(person)
    .slice(1)
    .map((text) => (text.includes("Accord") ? HONDA : FORD));
  // Telegram may have taken one that the killed process did not hear of: that one comes twice, and no other.
  expect(shown.filter((vin, at) => vin !== shown[at - 1])).toEqual(vins);
  expect(shown.length).toBeLessThanOrEqual(vins.length + 1);
});
