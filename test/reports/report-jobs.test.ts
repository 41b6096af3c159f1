import ExcelJs from "exceljs";
import { extractText, getDocumentProxy } from "unpdf";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { rollUpDays } from "#core/campaigns/roll-up-days.ts";
import { storeFacts } from "#core/campaigns/store-facts.ts";
import {
  campaignReport,
  excelReport,
  pdfReport,
  reportInput,
  type ReportResult,
} from "#core/reports/jobs/report-job-types.ts";
import { REPORT_PROGRAMS } from "#core/reports/jobs/report-programs.ts";
import { addCampaign, factColumns, type TestFact } from "#test/campaigns/facts.ts";
import { JobWorld } from "#test/jobs/job-world.ts";

const CHAT = 4_711;

let world: JobWorld;
let teamId: string;
beforeAll(async () => {
  world = await JobWorld.open(inject("postgres"), REPORT_PROGRAMS as JobWorld["programs"]); // their inputs differ, which the engine checks by their own schemas
});
afterAll(() => world.database.drop());
beforeEach(async () => {
  await world.clear();
  world.telegramFiles.clear();
  world.files.contents.clear();
  teamId = await world.team();
});

let file = 0;
async function campaign(
  facts: Omit<TestFact, "campaign">[],
  more: Parameters<typeof addCampaign>[2] = {},
  team = teamId,
): Promise<string> {
  const { id, number } = await addCampaign(world.database.pool, team, more);
  const columns = factColumns(facts.map((fact) => ({ ...fact, campaign: number })));
  await storeFacts(world.database.context().db, team, ++file, columns);
  await rollUpDays(world.database.context(), {
    teamId: null,
    deadline: new Date("2100-01-01T00:00:00Z"),
  });
  return id;
}

/** Two days of October, and one of September to compare with. */
const usual = (spend = 100): Omit<TestFact, "campaign">[] => [
  { day: "2026-09-30", impressions: 900, clicks: 90, spend, conversions: 9, revenue: spend * 2 },
  { day: "2026-10-01", impressions: 1000, clicks: 100, spend, conversions: 10, revenue: spend * 3 },
  {
    day: "2026-10-02",
    impressions: 3000,
    clicks: 100,
    spend: spend * 2,
    conversions: 5,
    revenue: 0,
  },
];
const october = { from: "2026-10-01", to: "2026-10-31" };

/** Works a job to its end. */
async function run(
  type: typeof pdfReport,
  input: Record<string, unknown>,
  team = teamId,
): Promise<Awaited<ReturnType<JobWorld["job"]>>> {
  const id = await world.create(team, type, reportInput.parse(input));
  await world.dispatch();
  await world.deliver();
  return world.job(team, id);
}

async function files(job: { id: string; result: unknown }): Promise<Map<string, Uint8Array>> {
  const { files: made } = job.result as ReportResult; // its schema was checked when the job ended
  const found = new Map<string, Uint8Array>();
  for (const { name } of made) {
    const [row] = await world.sql<{ file_key: string }>(
      "SELECT file_key FROM job_results WHERE job_id = $1 AND name = $2",
      [job.id, name],
    );
    found.set(
      name.split(".").at(-1) ?? "",
      world.files.contents.get(row?.file_key ?? "") ?? new Uint8Array(),
    );
  }
  return found;
}

const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

describe("generate_campaign_report", () => {
  it("makes the same figures as the metrics, as JSON and as a page", async () => {
    await campaign(usual(), { name: "Search", platform: "google_ads" });
    const job = await run(campaignReport, { ...october, title: "October" });
    expect(job).toMatchObject({
      state: "succeeded",
      result: { title: "October", period: october, language: "en", sent_to_telegram: null },
    });
    const made = await files(job);
    const json = JSON.parse(textOf(made.get("json")));
    expect(json.tables.by_day.rows).toEqual([
      ["2026-10-01", 1000, 100, "100", 10, "300", 0.1, "1", "10", 3],
      ["2026-10-02", 3000, 100, "200", 5, "0", 0.033333, "2", "40", 0],
    ]);
    expect(json.tables.by_campaign.rows).toEqual([
      ["Search", "Google Ads", 4000, 200, "300", 15, "300", 0.05, "1.5", "20", 1],
    ]);
    const cpa = json.key_figures[0].figures.find(
      ({ metric }: { metric: string }) => metric === "cpa",
    );
    expect(cpa).toMatchObject({ value: "20", previous: "11.111111", change: 0.8, welcome: false });
    expect(textOf(made.get("html"))).toContain("<title>October</title>");
  });

  it("takes changes apart into parts that add up", async () => {
    await campaign(usual(), { name: "Search" });
    await campaign(usual(350), { name: "Display" });
    const { movements } = JSON.parse(
      textOf((await files(await run(campaignReport, october))).get("json")),
    );
    expect(movements.length).toBeGreaterThan(0);
    for (const { table } of movements) {
      const sum = table.rows.reduce((all: number, row: unknown[]) => all + Number(row[2]), 0);
      expect(sum).toBeCloseTo(Number(table.totals[0][2]), 6);
    }
  });

  it("keeps currencies apart", async () => {
    await campaign(usual(), { name: "A", currency: "USD" });
    await campaign(usual(), { name: "B", currency: "EUR" });
    const json = JSON.parse(textOf((await files(await run(campaignReport, october))).get("json")));
    expect(json.key_figures.map(({ currency }: { currency: string }) => currency)).toEqual([
      "EUR",
      "USD",
    ]);
    expect(json.tables.by_day.currency).toEqual({ column: "currency" });
    expect(json.tables.by_day.rows).toHaveLength(4);
    expect(json.tables.by_campaign.totals.map((row: unknown[]) => row[2])).toEqual([]);
  });

  it("reports on the last days with data where no days are said, as schedules want it", async () => {
    await campaign(usual());
    const job = await run(campaignReport, { days: 7 });
    expect(job.result).toMatchObject({ period: { from: "2026-09-26", to: "2026-10-02" } });
  });

  it("says so where there is nothing to report", async () => {
    for (const type of [campaignReport, pdfReport, excelReport]) {
      const job = await run(type, { ...october, language: "fa" });
      expect(job.state).toBe("succeeded");
    }
  });

  it("is about the campaigns that are named, and of no other team's", async () => {
    const mine = await campaign(usual(), { name: "Mine" });
    await campaign(usual(), { name: "Also mine" });
    const other = await world.team();
    const theirs = await campaign(usual(), { name: "Theirs" }, other);
    const job = await run(campaignReport, { ...october, campaigns: [mine] });
    const page = textOf((await files(job)).get("html"));
    expect(page).toContain("Mine");
    expect(page).not.toContain("Also mine");
    expect(await run(campaignReport, { ...october, campaigns: [mine, theirs] })).toMatchObject({
      state: "failed",
      attempt: 1,
      errorMessage: "There is no such campaign.",
    });
    const all = await files(await run(campaignReport, october));
    expect(textOf(all.get("html"))).not.toContain("Theirs");
  });
});

describe("generate_pdf_report", () => {
  it("writes the figures into a PDF in the language that was asked for", async () => {
    await campaign(usual(), { name: "کمپین نوروز" });
    const job = await run(pdfReport, { ...october, language: "fa", title: "گزارش مهر ۱۴۰۵" });
    const { files: made } = job.result as ReportResult;
    expect(made[0]).toMatchObject({
      name: "گزارش مهر ۱۴۰۵ 2026-10-31.pdf",
      content_type: "application/pdf",
    });
    const pdf = (await files(job)).get("pdf") ?? new Uint8Array();
    expect(pdf.length).toBe(made[0]?.size);
    const { text } = await extractText(await getDocumentProxy(new Uint8Array(pdf)));
    for (const part of ["۳۰۰", "۵٫۰۰٪", "نوروز"]) expect(text.join("\n")).toContain(part);
  });

  it("says in the job's log which letters no font has", async () => {
    await campaign(usual(), { name: "አማርኛ 🎉" });
    const job = await run(pdfReport, october);
    expect(job.state).toBe("succeeded");
    const log = await world.sql<{ message: string }>(
      "SELECT message FROM job_log_lines WHERE job_id = $1",
      [job.id],
    );
    expect(log.map(({ message }) => message)).toEqual([
      "No font has these letters, \ufffd stands for them: አ ማ ር ኛ",
    ]);
  });
});

describe("generate_excel_report", () => {
  it("writes the metrics' own numbers", async () => {
    await campaign(usual(), { name: "Search" });
    const job = await run(excelReport, october);
    const bytes = (await files(job)).get("xlsx") ?? new Uint8Array();
    const workbook = new ExcelJs.Workbook();
    await workbook.xlsx.load(bytes.slice().buffer);
    const days = workbook.getWorksheet("By day");
    expect(days?.getRow(2).values).toEqual([
      undefined,
      new Date("2026-10-01T00:00:00Z"),
      1000,
      100,
      100,
      10,
      300,
      0.1,
      1,
      10,
      3,
    ]);
  });
});

describe("sending a report", () => {
  const link = (team: string, chat: number, blocked = false) =>
    world.sql("INSERT INTO telegram_links (chat_id, team_id, blocked_at) VALUES ($1, $2, $3)", [
      chat,
      team,
      blocked ? new Date() : null,
    ]);

  it("gives a linked chat the files, each once however often the job is worked", async () => {
    await campaign(usual());
    await link(teamId, CHAT);
    const id = await world.create(
      teamId,
      campaignReport,
      reportInput.parse({ ...october, send_to: { telegram_chat: CHAT } }),
    );
    await world.dispatch();
    // Dies after each thing that others see, one later each time.
    for (let boundary = 0; boundary < 60; boundary += 1) {
      const process = world.process({
        killsAt: (_, index, when) => when === "after" && index === boundary,
      });
      await process.work(id).catch(() => undefined);
      await world.passTime();
      await world.process().sweep();
      world.messages.length = 0;
      if ((await world.job(teamId, id)).state === "succeeded") break;
    }
    const job = await world.job(teamId, id);
    expect(job).toMatchObject({ state: "succeeded" });
    const sent = [...world.telegramFiles.values()];
    expect(sent.map(({ chatId, name }) => [chatId, name.split(".").at(-1)])).toEqual([
      [CHAT, "json"],
      [CHAT, "html"],
    ]);
    for (const { fileKey } of sent) expect(fileKey.startsWith(`${teamId}/`)).toBe(true);
  });

  it("knows no chat of another team, nor one that blocked the bot, and makes nothing for them", async () => {
    await campaign(usual());
    const other = await world.team();
    await link(other, 1);
    await link(teamId, 2, true);
    for (const chat of [1, 2, 3]) {
      const job = await run(pdfReport, { ...october, send_to: { telegram_chat: chat } });
      expect(job).toMatchObject({
        state: "failed",
        errorMessage: "There is no such Telegram chat that this team can write to.",
      });
    }
    expect(world.files.contents.size).toBe(0);
    expect(world.telegramFiles.size).toBe(0);
  });
});
