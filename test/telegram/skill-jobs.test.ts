import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { newId } from "#core/kernel/ids.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack, WEBHOOK_SECRET } from "#test/harness/stack.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";
import { type BotApi, startBotApi } from "./bot-api-server.ts";
import type { Person } from "./bot-api/people.ts";
import { deliverTo } from "./deliver-to.ts";

/** Skills that are jobs, in chats: who may begin one, what is seen of it, and what comes of it. */

const MODEL = "fault-1";
const LONG_MS = 120_000;
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
      AI_SERVICE_MODEL: MODEL,
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
/** The last of so many answers, once it is over. */
const answerAfter = (person: Person, count: number) =>
  eventually(() => {
    const last = answers(person).at(-1);
    expect(answers(person)).toHaveLength(count);
    expect(last?.replyMarkup).toBeUndefined();
    expect(last?.document ?? last?.text).not.toBe("…");
    return last;
  }, LONG_MS);

/** A member of a team with a campaign of two days, who joined by an invitation. */
async function memberOfTeam(profile = {}) {
  const team = await stack.createTeam();
  await stack.sql(
    `WITH campaign AS (
       INSERT INTO campaigns (id, team_id, platform, natural_key, currency, name, first_day, last_day)
       VALUES ($1, $2, 'google_ads', 'name:a', 'USD', 'Brand', '2026-10-01', '2026-10-02') RETURNING number
     )
     INSERT INTO campaign_days (campaign, day, impressions, clicks, spend_micros, conversion_micros, revenue_micros)
     SELECT number, day, 1000, 100, 100000000, 10000000, 300000000
     FROM campaign, (VALUES ('2026-10-01'::date), ('2026-10-02')) AS days (day)`,
    [newId("campaign"), team.teamId],
  );
  const person = telegram.addPerson(profile);
  const path = `/v1/teams/${team.teamId}/invitations`;
  type Invitation = { telegram_command: string };
  const invitation = await team.client.expect<Invitation>(201, "POST", path, {});
  person.says(invitation.telegram_command);
  await answerAfter(person, 1);
  return { team, person };
}

const jobsOf = ({ teamId }: { teamId: string }) =>
  stack.sql<{ id: string; type: string; state: string; end_user: string | null }>(
    "SELECT id, type, state, end_user FROM jobs WHERE team_id = $1 ORDER BY created_at",
    [teamId],
  );

/** Lets the chat's model call for a report, and then say this. */
function modelReports(input: object, says: string): void {
  const before = provider.requestsFor(MODEL).length;
  const call = { name: "campaigns_report", arguments: JSON.stringify(input) };
  provider.script(MODEL, (earlier) =>
    earlier === before ? { toolCalls: [call] } : { pieces: [says] },
  );
}

describe("a member who asks for a report", () => {
  it("gets one message, which shows that it works and becomes the file", async () => {
    const { team, person } = await memberOfTeam();
    person.says("/report");
    const message = await answerAfter(person, 2);
    expect(message?.document?.file_name).toMatch(/\.pdf$/);
    expect(Buffer.from(message?.document?.bytes ?? []).toString("latin1", 0, 5)).toBe("%PDF-");
    expect(message?.caption).toContain("2026");
    expect(message?.history[0]).toBe("…");
    expect(await jobsOf(team)).toMatchObject([
      { type: "generate_pdf_report", state: "succeeded", end_user: `tg:${person.user.id}` },
    ]);
  });

  it("in Persian gets it in Persian, and all files of one that has several", async () => {
    const { team, person } = await memberOfTeam({ language_code: "fa" });
    person.says("/report ۷ page");
    await answerAfter(person, 3);
    const files = answers(person).slice(1);
    expect(files.map(({ document }) => document?.file_name.split(".").at(-1)).sort()).toEqual([
      "html",
      "json",
    ]);
    expect(files[0]?.caption).toContain("گزارش");
    const [job] = await stack.sql("SELECT input FROM jobs WHERE team_id = $1", [team.teamId]);
    expect(job).toMatchObject({ input: { language: "fa", days: 7 } });
  });

  it("with what is none is told how it is written, and nothing is begun", async () => {
    const { team, person } = await memberOfTeam();
    for (const [index, text] of ["/report csv", "/report 0", "/report 5000"].entries()) {
      person.says(text);
      expect((await answerAfter(person, index + 2))?.text).toContain("/report [pdf|excel|page]");
    }
    expect(await jobsOf(team)).toEqual([]);
  });

  it("can stop it while it waits or works", async () => {
    const { team, person } = await memberOfTeam();
    // All that may run of this team's at once does, so the report has to wait.
    await stack.sql(
      `INSERT INTO jobs (id, team_id, type, input, created_by, scopes, models, request_hash, state, slot, lease_until, fence, attempt)
       SELECT 'job_blocker' || $1 || number, $1, 'generate_pdf_report', '{}', 'test', '{}', '{}', 'x', 'running', true, now() + interval '1 hour', 1, 1
       FROM generate_series(1, 3) AS number`,
      [team.teamId],
    );
    person.says("/report pdf");
    await eventually(() => expect(answers(person).at(-1)?.text).toContain("⏳ a report"));
    person.taps("⏹ Stop");
    expect((await answerAfter(person, 2))?.text).toBe("Stopped.");
    const own = (await jobsOf(team)).filter(({ end_user: user }) => user !== null);
    expect(own).toMatchObject([{ state: "cancelled" }]);
    await stack.sql("DELETE FROM jobs WHERE team_id = $1 AND created_by = 'test'", [team.teamId]);
  });
});

describe("a model that begins a report", () => {
  it("answers, and below its answer the file comes by itself", async () => {
    const { team, person } = await memberOfTeam();
    modelReports({ format: "excel" }, "Here it is.");
    person.says("A workbook of my campaigns, please");
    const file = await answerAfter(person, 3);
    expect(answers(person)[1]?.text).toBe("Here it is.");
    expect(file?.document?.file_name).toMatch(/\.xlsx$/);
    expect(await jobsOf(team)).toMatchObject([{ type: "generate_excel_report" }]);
    const told = JSON.stringify(provider.requestsFor(MODEL).at(-1)?.body?.["messages"]);
    expect(told).toContain("This chat gets the job's files by itself");
  });

  it("is told what is wrong with its input, and begins nothing", async () => {
    const { team, person } = await memberOfTeam();
    const wrong = { from: "2026-10-09", to: "2026-10-01", campaigns: ["all"] };
    modelReports(wrong, "That did not work.");
    person.says("A report backwards, please");
    expect((await answerAfter(person, 2))?.text).toBe("That did not work.");
    const told = JSON.stringify(provider.requestsFor(MODEL).at(-1)?.body?.["messages"]);
    expect(told).toContain("campaigns.0");
    expect(await jobsOf(team)).toEqual([]);
  });

  it("that fails has it said below the answer", async () => {
    const { person } = await memberOfTeam();
    modelReports({ campaigns: [newId("campaign")] }, "I have tried.");
    person.says("A report on a campaign that is not there");
    expect((await answerAfter(person, 3))?.text).toMatch(/^I could not do it\. .*campaign/);
  });
});

it("goes on with the same job and the same message when the runtime is killed", async () => {
  const { team, person } = await memberOfTeam();
  person.says("/report excel");
  await eventually(async () => expect(await jobsOf(team)).toHaveLength(1));
  await stack.kill();
  await stack.restart();
  deliverTo(telegram, stack.urls.bot, WEBHOOK_SECRET);
  await stack.sql(
    "UPDATE jobs SET lease_until = now() - interval '1 second' WHERE lease_until > now()",
  );
  await stack.tick();
  const message = await answerAfter(person, 2);
  expect(message?.document?.file_name).toMatch(/\.xlsx$/);
  expect(await jobsOf(team)).toHaveLength(1);
}, 240_000);

describe("somebody whose role allows no jobs", () => {
  it("as a viewer is told so by name of the team", async () => {
    const { team, person } = await memberOfTeam();
    const path = `/v1/teams/${team.teamId}/members`;
    const { data } = await team.client.expect<{ data: { id: string }[] }>(200, "GET", path);
    await team.client.expect(200, "PATCH", `${path}/${data[0]?.id}`, { role: "viewer" });
    await eventually(async () => {
      const before = answers(person).length;
      person.says("/report");
      expect((await answerAfter(person, before + 1))?.text).toContain("as a viewer");
    });
    const before = (await jobsOf(team)).length;
    person.says("/report");
    await answerAfter(person, answers(person).length + 1);
    expect(await jobsOf(team)).toHaveLength(before);
  });

  it("as a guest is told what would help, for a command, a file and by what the model is offered", async () => {
    await stack.restart({ GUEST_ACCESS: "on" });
    deliverTo(telegram, stack.urls.bot, WEBHOOK_SECRET);
    const guest = telegram.addPerson();
    guest.says("/report");
    expect((await answerAfter(guest, 1))?.text).toContain("Guests cannot begin jobs");
    guest.sendsFile("cars.csv", new TextEncoder().encode("VIN\n1HGCM82633A004352\n"), "text/csv");
    expect((await answerAfter(guest, 2))?.text).toContain("Guests cannot begin jobs");
    provider.script(MODEL, { pieces: ["Hello."] });
    guest.says("A report, please");
    expect((await answerAfter(guest, 3))?.text).toBe("Hello.");
    const tools = JSON.stringify(provider.requestsFor(MODEL).at(-1)?.body?.["tools"]);
    expect(tools).toContain("vin_decode");
    expect(tools).not.toContain("campaigns_report");
    expect(
      await stack.sql("SELECT id FROM jobs WHERE end_user = $1", [`tg:${guest.user.id}`]),
    ).toEqual([]);
  });
});
