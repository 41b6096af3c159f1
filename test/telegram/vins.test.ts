import { writeXlsx } from "hucre";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import type { Stack } from "#test/harness/stack.ts";
import type { FaultProvider } from "#test/providers/fault-provider.ts";
import { checkDigitOf } from "#core/vin/vin.ts";
import { readTable } from "#test/tables/read-table.ts";
import { readKnownVins } from "#test/vin/known-vins.ts";
import type { BotApi } from "./bot-api-server.ts";
import type { Person } from "./bot-api/people.ts";
import { startTelegramStack, type TelegramStack } from "./telegram-stack.ts";

const HONDA = "1HGCM82633A004352";
const FORD = "1FTFW5L86RFB45612";
const MISTYPED = "1HGMC82633A004352";

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

const LONG_MS = 90_000;
const CSV = "text/csv";
const fleet = (rows: number) => {
  const lines = Array.from({ length: rows }, (_, index) => {
    const rest = `1HGCM82603A${String(index % 2_000).padStart(6, "0")}`;
    return `${index},${rest.slice(0, 8)}${checkDigitOf(rest)}${rest.slice(9)}`;
  });
  return new TextEncoder().encode(`row,vin\n${lines.join("\n")}\n`);
};
/** The file that the person's last answer has become. */
const fileOf = async (person: Person) => {
  await eventually(() => expect(answers(person).at(-1)?.document).toBeDefined(), LONG_MS);
  const message = answers(person).at(-1);
  return { message, bytes: new Uint8Array(message?.document?.bytes ?? []) };
};

describe.concurrent("a file of VINs", () => {
  it("gets one message, which shows the progress and becomes the file with columns added", async () => {
    const { person } = await linkedPerson();
    const csv = `Plate;VIN\nA-1;${HONDA}\nB-2;${MISTYPED}\n`;
    person.sendsFile("cars.csv", new TextEncoder().encode(csv), CSV);
    const { message, bytes } = await fileOf(person);
    expect(answers(person)).toHaveLength(2);
    expect(message?.document?.file_name).toBe("cars-decoded.csv");
    expect(message?.caption).toBe("2 rows, 1 VINs, 1 that are none.");
    expect(message?.history[0]).toBe("…");
    expect(new TextDecoder().decode(bytes)).toContain(`A-1;${HONDA};yes;high;Honda;Accord;2003;`);
  });

  it("of Excel comes back as one, and its sentence in the language of the chat", async () => {
    const { person } = await linkedPerson({ language_code: "fa" });
    const book = await writeXlsx({ sheets: [{ name: "S", rows: [["VIN"], [HONDA], [FORD]] }] });
    person.sendsFile("خودروها.xlsx", book, "application/octet-stream");
    const { message, bytes } = await fileOf(person);
    expect(message?.document?.file_name).toBe("خودروها-decoded.xlsx");
    expect(message?.caption).toContain("شمارهٔ شناسایی");
    expect((await readTable(bytes)).rows[2]?.[0]).toBe(FORD);
  });

  it("that holds none says so", async () => {
    const { person } = await linkedPerson();
    person.sendsFile("none.csv", new TextEncoder().encode("a,b\n1,2\n"), CSV);
    await eventually(() => expect(texts(person).at(-1)).toContain("I could not read"), LONG_MS);
    expect(texts(person).at(-1)).toContain("No column of the file holds VINs");
    expect(answers(person)).toHaveLength(2);
  });

  it("of another kind is told that it cannot be read", async () => {
    const { person } = await linkedPerson();
    person.sendsFile("letter.pdf", new Uint8Array([37, 80, 68, 70]), "application/pdf");
    expect((await answerAfter(person, 2))?.text).toContain("cannot read files");
  });
});

it("goes on with the same job and the same message when the runtime is killed while a file is read", async () => {
  const { team, person } = await linkedPerson();
  person.sendsFile("fleet.csv", fleet(20_000), CSV);
  await eventually(async () => {
    const [step] = await stack.sql<{ count: number }>(
      "SELECT count FROM job_steps JOIN jobs ON jobs.id = job_id WHERE team_id = $1 AND kind = 'chunks'",
      [team.teamId],
    );
    expect(step?.count ?? 0).toBeGreaterThan(0); // some are committed
  }, LONG_MS);
  await stack.kill();
  await stack.restart();
  started.deliver();
  // What the dead process held is let go when its lease is over; the tests cannot wait for that.
  await stack.sql(
    "UPDATE jobs SET lease_until = now() - interval '1 second' WHERE lease_until > now()",
  );
  await stack.tick();
  const { message, bytes } = await fileOf(person);
  expect(answers(person)).toHaveLength(2);
  expect(message?.caption).toBe("20,000 rows, 20,000 VINs, 0 that are none.");
  expect((await readTable(bytes)).rows).toHaveLength(20_001);
  const jobs = await stack.sql("SELECT id FROM jobs WHERE team_id = $1", [team.teamId]);
  expect(jobs).toHaveLength(1);
}, 240_000);

it("answers once and whole when the runtime is killed while it answers", async () => {
  const { person } = await linkedPerson();
  const vins = [HONDA, FORD, HONDA];
  for (const [index, vin] of vins.entries()) {
    person.says(vin);
    if (index === 1) {
      await stack.kill();
      await stack.restart();
      started.deliver();
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
