import { expect } from "vitest";
import { newId } from "#core/kernel/ids.ts";
import { checkDigitOf } from "#core/vin/vin.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import type { Stack } from "#test/harness/stack.ts";
import type { BotApi } from "#test/telegram/bot-api-server.ts";
import type { Person } from "#test/telegram/bot-api/people.ts";
import type { StepWrite } from "../held-step.ts";

/** A team of a case's own, in which nothing was done before. */
export interface CaseTeam {
  teamId: string;
  client: ApiClient;
  /** Whose chat is linked to the team. */
  person: Person | null;
}

export interface CaseWorld {
  stack: Stack;
  telegram: BotApi;
}

/** How a type of job is tried, undisturbed and killed. */
export interface JobCase {
  /** What there has to be before; its input is what this gives. */
  prepare(world: CaseWorld, team: CaseTeam): Promise<object>;
  /** Where its process is killed, one place after the other. */
  deaths: readonly StepWrite[];
  /** What it leaves besides its row, steps, files and usage. */
  facts(world: CaseWorld, team: CaseTeam): Promise<unknown>;
  /** What has to have come before the process is killed at the last place. */
  settled?(world: CaseWorld, team: CaseTeam): Promise<void>;
}

const nothing = () => Promise.resolve(null);

/** A complete upload. @returns its id */
async function upload({ client }: CaseTeam, name: string, text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const { upload_id: id } = await client.expect<{ upload_id: string }>(201, "POST", "/v1/uploads", {
    name,
    size: bytes.length,
    content_type: "text/csv",
  });
  const headers = { "content-type": "application/octet-stream" };
  await client.expect(200, "PUT", `/v1/uploads/${id}/parts/1`, text, headers);
  await client.expect(200, "POST", `/v1/uploads/${id}/complete`);
  return id;
}

/** A file of several chunks, with a row that is set aside in each of them. */
function campaignFile(): string {
  const rows = Array.from({ length: 60_000 }, (_, index) => {
    const day = `2026-${String((index % 3) + 7).padStart(2, "0")}-${String((index % 28) + 1).padStart(2, "0")}`;
    const clicks = index % 9_000 === 17 ? "many" : String(index % 90);
    const group = `Ad group with a name of some length ${index % 500}`;
    return `${day},Campaign ${index % 40},${group},Ad ${Math.floor(index / 500)},${index % 1000},${clicks},${index % 77}.5,${index % 7},${index % 311}.25`;
  });
  return `Day,Campaign,Ad group,Ad,Impressions,Clicks,Cost,Conversions,Conv. value\n${rows.join("\n")}\n`;
}

/** All that an import writes, without the numbers by which rows name each other. */
async function campaignFacts({ stack }: CaseWorld, { teamId }: CaseTeam) {
  const [facts] = await stack.sql(
    `SELECT count(*)::integer AS rows, md5(string_agg(row::text, '|' ORDER BY row::text)) AS content FROM (
       SELECT c.platform, c.currency, c.name, c.first_day, c.last_day,
         to_jsonb(f) - 'campaign' - 'import_number' AS row
       FROM campaign_facts f JOIN campaigns c ON c.number = f.campaign WHERE c.team_id = $1
     ) AS row`,
    [teamId],
  );
  const [days] = await stack.sql(
    `SELECT count(*)::integer AS rows, sum(d.clicks)::text AS clicks, sum(d.spend_micros)::text AS spend,
       sum(d.revenue_micros)::text AS revenue
     FROM campaign_days d JOIN campaigns c ON c.number = d.campaign WHERE c.team_id = $1`,
    [teamId],
  );
  const [dirty] = await stack.sql(
    `SELECT count(*)::integer AS rows FROM campaign_dirty_days d JOIN campaigns c ON c.number = d.campaign
     WHERE c.team_id = $1`,
    [teamId],
  );
  const imports = await stack.sql(
    `SELECT rows, accepted, rejected, campaigns, finished_at IS NOT NULL AS finished FROM campaign_imports
     WHERE team_id = $1`,
    [teamId],
  );
  expect(facts?.["rows"]).toBeGreaterThan(50_000);
  return { facts, days, dirty, imports };
}

/** Of several chunks, with VINs that come again, wrong ones and none. */
function vinFile(): string {
  const lines = Array.from({ length: 9_000 }, (_, index) => {
    const rest = `1HGCM82603A${String(index % 700).padStart(6, "0")}`;
    const vin = `${rest.slice(0, 8)}${checkDigitOf(rest)}${rest.slice(9)}`;
    return `${index},${index % 50 === 3 ? "no VIN" : index % 50 === 4 ? "" : vin}`;
  });
  return `row,vin\n${lines.join("\n")}\n`;
}

/** A report on two campaigns, which goes to a chat of the team as well. */
const report: JobCase = {
  async prepare({ stack }, { teamId, person }) {
    for (const [name, spend] of [
      ["Search", 120_000_000],
      ["Video", 90_500_000],
    ])
      await stack.sql(
        `WITH campaign AS (
           INSERT INTO campaigns (id, team_id, platform, natural_key, currency, name, first_day, last_day)
           VALUES ($1, $2, 'google_ads', 'name:' || $3::text, 'USD', $3, '2026-10-01', '2026-10-20') RETURNING number
         )
         INSERT INTO campaign_days (campaign, day, impressions, clicks, spend_micros, conversion_micros, revenue_micros)
         SELECT number, day, 1000, 100, $4::bigint, 10000000, 300000000
         FROM campaign, generate_series('2026-10-01'::date, '2026-10-20', '1 day') AS days (day)`,
        [newId("campaign"), teamId, name, spend],
      );
    return {
      from: "2026-10-11",
      to: "2026-10-20",
      title: "A report",
      send_to: { telegram_chat: person?.chat.id },
    };
  },
  deaths: [
    { step: "write the report", chunk: 0 },
    { step: "send to Telegram", chunk: 0 },
  ],
  facts: ({ telegram }, { person }) => Promise.resolve(documentsOf(telegram, person)),
  async settled({ telegram }, { person }) {
    await eventually(() => expect(documentsOf(telegram, person)).not.toEqual([]), 120_000);
    // A chat does one thing after the other: once it has answered, what it sent before is noted.
    const before = telegram.answersIn(chatOf(person)).length;
    person?.says("/help");
    await eventually(
      () => expect(telegram.answersIn(chatOf(person)).length).toBeGreaterThan(before),
      120_000,
    );
  },
};

function chatOf(person: Person | null): Person["chat"] {
  if (!person) throw new Error("The team of this case has a chat");
  return person.chat;
}

const documentsOf = (telegram: BotApi, person: Person | null) =>
  telegram.answersIn(chatOf(person)).flatMap(({ document }) => document?.file_name ?? []);

/** Every type of job, by its name. */
export const JOB_CASES: Record<string, JobCase> = {
  self_test: {
    prepare: () => Promise.resolve({ count: 5 }),
    deaths: [
      { step: "count", chunk: 3 },
      { step: "write the file", chunk: 0 },
    ],
    facts: nothing,
  },
  import_campaign_data: {
    prepare: async (_, team) => ({
      upload_id: await upload(team, "google ads.csv", campaignFile()),
      platform: "google_ads",
      currency: "EUR",
    }),
    deaths: [
      { step: "rows", chunk: 2 },
      { step: "sum up days", chunk: 0 },
      { step: "finish", chunk: 0 },
    ],
    facts: campaignFacts,
  },
  decode_vin_file: {
    prepare: async (_, team) => ({ upload_id: await upload(team, "fleet.csv", vinFile()) }),
    deaths: [
      { step: "rows", chunk: 2 },
      { step: "file", chunk: 0 },
      { step: "tidy", chunk: 0 },
    ],
    facts: nothing,
  },
  generate_campaign_report: report,
  generate_pdf_report: report,
  generate_excel_report: report,
  run_skill: {
    prepare: () => Promise.resolve({ skill: "text.count", input: { text: "one two three" } }),
    deaths: [{ step: "use the skill", chunk: 0 }],
    facts: nothing,
    // A use that is not yet with the Meter when the runtime dies is never charged; one that is must not be charged again.
    settled: ({ stack }, { teamId }) =>
      eventually(async () => {
        const uses = await stack.sql("SELECT 1 FROM usage_records WHERE team_id = $1", [teamId]);
        expect(uses).toHaveLength(1);
      }, 120_000),
  },
};
