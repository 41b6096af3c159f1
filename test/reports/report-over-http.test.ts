import { extractText, getDocumentProxy } from "unpdf";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import type { ReportResult } from "#core/reports/jobs/report-job-types.ts";
import { newId } from "#core/kernel/ids.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import type { Stack } from "#test/harness/stack.ts";
import type { BotApi } from "#test/telegram/bot-api-server.ts";
import { startTelegramStack, type TelegramStack } from "#test/telegram/telegram-stack.ts";

const SCOPES = ["jobs", "skills"];
const TITLE = "گزارش کمپین‌ها ۱۴۰۵";

let started: TelegramStack;
let stack: Stack;
let telegram: BotApi;

beforeAll(async () => {
  started = await startTelegramStack({ postgres: inject("postgres") });
  ({ stack, telegram } = started);
});
afterAll(async () => {
  await started?.stop();
});

/** A team with a campaign of two days. */
async function teamWithCampaign() {
  const team = await stack.createTeam({ scopes: [...SCOPES, "admin"] });
  const id = newId("campaign");
  await stack.sql(
    `WITH campaign AS (
       INSERT INTO campaigns (id, team_id, platform, natural_key, currency, name, first_day, last_day)
       VALUES ($1, $2, 'google_ads', 'name:a', 'USD', '🎉 کمپین نوروز 双十一', '2026-10-01', '2026-10-02') RETURNING number
     )
     INSERT INTO campaign_days (campaign, day, impressions, clicks, spend_micros, conversion_micros, revenue_micros)
     SELECT number, day, 1000, 100, 100000000, 10000000, 300000000
     FROM campaign, (VALUES ('2026-10-01'::date), ('2026-10-02')) AS days (day)`,
    [id, team.teamId],
  );
  return team;
}

interface JobAnswer {
  id: string;
  state: string;
  result: ReportResult | null;
  error: { message: string } | null;
}

async function ended(client: ApiClient, type: string, input: unknown): Promise<JobAnswer> {
  const { id } = await client.expect<{ id: string }>(202, "POST", "/v1/jobs", { type, input });
  let job: JobAnswer | null = null;
  await eventually(async () => {
    job = await client.expect<JobAnswer>(200, "GET", `/v1/jobs/${id}`);
    expect(["succeeded", "failed"]).toContain(job.state);
  }, 60_000);
  if (job === null) throw new Error("The job did not end.");
  return job;
}

const october = { from: "2026-10-01", to: "2026-10-31" };

it("makes each kind of report over HTTP, which downloads under its Persian name", async () => {
  const { client } = await teamWithCampaign();
  const types = {
    generate_pdf_report: ["pdf"],
    generate_excel_report: ["xlsx"],
    generate_campaign_report: ["json", "html"],
  };
  for (const [type, extensions] of Object.entries(types)) {
    const job = await ended(client, type, { ...october, language: "fa", title: TITLE });
    expect(job).toMatchObject({ state: "succeeded", error: null });
    const files = job.result?.files ?? [];
    expect(files.map(({ name }) => name)).toEqual(
      extensions.map((extension) => `${TITLE} 2026-10-31.${extension}`),
    );
    for (const { url, size, name } of files) {
      const answer = await client.request("GET", url);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-disposition")).toContain(
        `filename*=UTF-8''${encodeURIComponent(name)}`,
      );
      const bytes = new Uint8Array(await answer.arrayBuffer());
      expect(bytes.byteLength).toBe(size);
      if (!name.endsWith(".pdf")) continue;
      // Letters for which the cron Worker has to ask the api Worker for fonts.
      const text = (await extractText(await getDocumentProxy(bytes))).text.join("\n");
      for (const part of ["نوروز", "双十一", "🎉"]) expect(text).toContain(part);
      expect(text).not.toContain("\ufffd");
    }
  }
});

it("sends a report to a chat of the team as a document, and to no other team's", async () => {
  const { client } = await teamWithCampaign();
  const person = telegram.addPerson();
  const { command } = await client.expect<{ command: string }>(
    201,
    "POST",
    "/v1/telegram/link-codes",
    {},
  );
  person.says(command);
  await eventually(() => expect(telegram.answersIn(person.chat)).toHaveLength(1));

  const input = { ...october, title: TITLE, send_to: { telegram_chat: person.chat.id } };
  const job = await ended(client, "generate_pdf_report", input);
  expect(job).toMatchObject({ state: "succeeded", result: { sent_to_telegram: 1 } });
  await eventually(() => expect(telegram.answersIn(person.chat)).toHaveLength(2), 60_000);
  const document = telegram.answersIn(person.chat).at(-1)?.document;
  expect(document?.file_name).toBe(`${TITLE} 2026-10-31.pdf`);
  const { text } = await extractText(await getDocumentProxy(new Uint8Array(document?.bytes ?? [])));
  expect(text.join("\n")).toContain("$200.00");

  const stranger = await teamWithCampaign();
  expect(await ended(stranger.client, "generate_pdf_report", input)).toMatchObject({
    state: "failed",
    error: { message: "There is no such Telegram chat that this team can write to." },
  });
});
