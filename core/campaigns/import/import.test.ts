import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { writeXlsx } from "hucre/xlsx";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { uploads } from "#schema";
import { newId } from "#core/kernel/ids.ts";
import { EXPORTS, TOLD } from "#test/files/campaigns/exports.ts";
import { addTeam } from "#test/campaigns/facts.ts";
import { MemoryFileStore } from "#test/files/memory-file-store.ts";
import { Killed, KeptJob, runProgram, type RunOptions } from "#test/jobs/run-program.ts";
import { openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { importCampaignDataProgram } from "./import-program.ts";

const FOLDER = fileURLToPath(new URL("../../../test/files/campaigns/", import.meta.url));
let database: TestDatabase;
let files: MemoryFileStore;

beforeAll(async () => (database = await openTestDatabase(inject("postgres"))));
afterAll(() => database.drop());
beforeEach(async () => {
  files = new MemoryFileStore();
  await database.pool.query("DELETE FROM teams");
  await addTeam(database.pool, "team_a");
});

async function upload(content: string | Uint8Array, name = "export.csv"): Promise<string> {
  const id = newId("upload");
  const bytes = Buffer.from(content);
  const { size, etag } = await files.put(`team_a/uploads/${id}`, bytes, {
    contentType: "text/csv",
  });
  await database
    .context()
    .db.insert(uploads)
    .values({
      id,
      teamId: "team_a",
      name,
      contentType: "text/csv",
      size,
      etag,
      state: "complete",
      createdBy: "test",
      expiresAt: new Date("2100-01-01"),
    });
  return id;
}

const run = (uploadId: string, over: Partial<RunOptions> & { options?: object } = {}) =>
  runProgram(importCampaignDataProgram, {
    teamId: "team_a",
    context: database.context(),
    files,
    input: { upload_id: uploadId, ...over.options },
    ...over,
  });
const importText = async (text: string, options: object = {}, name?: string) =>
  run(await upload(text, name), { options });

interface Sum {
  platform: string;
  name: string;
  currency: string;
  day: string;
  impressions: string | null;
  clicks: string | null;
  spend: string | null;
  conversions: string | null;
  revenue: string | null;
}
const sums = async (): Promise<Sum[]> =>
  (
    await database.pool.query<Sum>(
      `SELECT platform, name, currency, day::text, sum(impressions)::text AS impressions, sum(clicks)::text AS clicks,
        (sum(spend_micros) / 1e6)::float::text AS spend, (sum(conversion_micros) / 1e6)::float::text AS conversions,
        (sum(revenue_micros) / 1e6)::float::text AS revenue
       FROM campaign_facts JOIN campaigns ON campaigns.number = campaign
       GROUP BY platform, name, currency, day ORDER BY platform, name, currency, day`,
    )
  ).rows;
const rejectedText = (kept: { rejected_url: string | null }) =>
  files.files.get(`team_a/jobs/${kept.rejected_url?.split("/")[3]}/rejected.csv`)?.bytes.toString();

describe("import_campaign_data", () => {
  it("reads a Google Ads export with its titles, sums and thousands", async () => {
    const result = await importText(
      [
        "Campaign report",
        '"November 1, 2026 - November 2, 2026"',
        "Day,Campaign,Ad group,Currency code,Impr.,Clicks,CTR,Cost,Conversions,Conv. value",
        '2026-11-01,Brand,Core,EUR,"12,345",678,5.49%,"1,234.56",12.50,"2,500.00"',
        "2026-11-02,Brand,Core,EUR,100,5,5.00%,7.10,0.00,0",
        "2026-11-02,Shopping, --,EUR,50,1,2%,0.5, --, --",
        'Total: Campaigns, --, --,EUR,"12,495",684,5.4%,"1,242.16",12.50,"2,500.00"',
      ].join("\r\n"),
    );
    expect(result).toMatchObject({
      rows: 4,
      accepted: 3,
      rejected: 1,
      campaigns: 2,
      unchanged: false,
    });
    const base = { platform: "google_ads", currency: "EUR" };
    expect(await sums()).toEqual([
      {
        ...base,
        name: "Brand",
        day: "2026-11-01",
        impressions: "12345",
        clicks: "678",
        spend: "1234.56",
        conversions: "12.5",
        revenue: "2500",
      },
      {
        ...base,
        name: "Brand",
        day: "2026-11-02",
        impressions: "100",
        clicks: "5",
        spend: "7.1",
        conversions: "0",
        revenue: "0",
      },
      {
        ...base,
        name: "Shopping",
        day: "2026-11-02",
        impressions: "50",
        clicks: "1",
        spend: "0.5",
        conversions: null,
        revenue: null,
      },
    ]);
    expect(rejectedText(result)).toContain(
      '7,"a row of totals, which is not counted twice",Total: Campaigns',
    );
  });

  it("sets bad rows aside with line and reason, and takes the others", async () => {
    const result = await importText(
      'Date,Campaign,Clicks,Cost\n2026-01-01,A,1,2.50\n2026-13-01,A,1,2\n2026-01-02,,1,2\n2026-01-02,A,-4,2\n2026-01-02,A,5,abc\n"open,2\n2026-01-03,=B,1,1\n',
    );
    expect(result).toMatchObject({ rows: 7, accepted: 2, rejected: 5, campaigns: 2 });
    expect(rejectedText(result)).toBe(
      [
        "\ufeffline,reason,Date,Campaign,Clicks,Cost",
        "3,“2026-13-01” is no day,2026-13-01,A,1,2",
        "4,there is no campaign,2026-01-02,,1,2",
        "5,“-4” is less than nothing,2026-01-02,A,'-4,2",
        "6,“abc” is no number,2026-01-02,A,5,abc",
        "7,a quotation mark is opened and never closed",
        "",
      ].join("\r\n"),
    );
  });

  it("changes nothing when the same file comes twice, and corrects by a later file", async () => {
    const file =
      "Day,Campaign,Clicks\n2026-01-01,A,1\n2026-01-01,A,2\n2026-01-02,A,4\n2026-13-02,A,4\n";
    const first = await importText(file);
    const before = await sums();
    expect(before.map(({ clicks }) => clicks)).toEqual(["3", "4"]);
    const { rows } = await database.pool.query(
      "SELECT xmin::text, * FROM campaign_facts ORDER BY day",
    );
    expect(await importText(file)).toEqual({ ...first, unchanged: true });
    expect(
      (await database.pool.query("SELECT xmin::text, * FROM campaign_facts ORDER BY day")).rows,
    ).toEqual(rows);
    await importText("Day,Campaign,Clicks\n2026-01-02,A,5\n");
    expect((await sums()).map(({ clicks }) => clicks)).toEqual(["3", "5"]);
    expect(await importText(file)).toMatchObject({ unchanged: false });
    expect(await sums()).toEqual(before);
    await database.pool.query("DELETE FROM campaigns");
    await importText(file);
    expect(await sums()).toEqual(before);
  });

  it("does not count a day twice that an earlier file told at another level of detail", async () => {
    await importText("Day,Campaign,Cost\n2026-01-01,A,10\n2026-01-02,A,20\n2026-01-02,B,1\n");
    await importText("Day,Campaign,Ad group,Cost\n2026-01-02,A,x,15\n2026-01-02,A,y,6\n");
    expect((await sums()).map(({ name, day, spend }) => [name, day, spend])).toEqual([
      ["A", "2026-01-01", "10"],
      ["A", "2026-01-02", "21"],
      ["B", "2026-01-02", "1"],
    ]);
  });

  it("takes more campaigns than it remembers, also where a chunk has some of both", async () => {
    const lines = Array.from(
      { length: 45_000 },
      (_, index) =>
        `2026-01-0${1 + Math.floor(index / 22_500)},Campaign ${index % 22_500},${"group ".repeat(20)},1`,
    );
    expect(await importText(["Day,Campaign,Ad group,Clicks", ...lines].join("\n"))).toMatchObject({
      accepted: 45_000,
      campaigns: 22_500,
    });
  });

  it("loses nothing and repeats nothing, wherever it is killed", async () => {
    const lines = Array.from(
      { length: 26_000 },
      (_, index) =>
        `2026-${String((index % 12) + 1).padStart(2, "0")}-15,Campaign ${index % 7},${"group ".repeat(40)}${index % 500},${index % 10},${index % 9 === 0 ? "bad" : "1.25"}`,
    );
    const file = ["Day,Campaign,Ad group,Clicks,Cost", ...lines].join("\n");
    const undisturbed = new KeptJob();
    const whole = await run(await upload(file), { kept: undisturbed });
    const { commits } = undisturbed;
    expect(commits).toBeGreaterThan(2);
    const expected = await sums();
    expect(whole).toMatchObject({ rows: 26_000, rejected: 2_889, campaigns: 7 });
    const wholeRejected = rejectedText(whole);
    for (let commit = 0; commit < commits; commit += 1) {
      for (const when of ["before", "after"] as const) {
        await database.pool.query("DELETE FROM campaigns; DELETE FROM campaign_imports");
        const id = await upload(file);
        const kept = new KeptJob();
        await expect(run(id, { kept, dieAt: { commit, when } })).rejects.toThrow(Killed);
        const result = await run(id, { kept });
        expect(kept.commits).toBe(commits);
        expect({ ...result, rejected_url: null }).toEqual({ ...whole, rejected_url: null });
        expect(await sums()).toEqual(expected);
        expect(rejectedText(result)).toBe(wholeRejected);
      }
    }
  });
});

describe("a workbook of several sheets", () => {
  type Row = (string | number)[];
  const importSheets = async (sheets: Record<string, Row[]>, options: object = {}) =>
    run(
      await upload(
        await writeXlsx({
          sheets: Object.entries(sheets).map(([name, rows]) => ({ name, rows })),
        }),
        "export.xlsx",
      ),
      { options },
    );
  const days = ["2026-03-01", "2026-03-02", "2026-03-03"];
  const campaigns: Row[] = [
    ["Day", "Campaign", "Clicks", "Cost"],
    ...days.map((day, index) => [day, "Brand", 30 + index, 12.5]),
  ];
  const ads: Row[] = [
    ["Day", "Campaign", "Ad group", "Ad", "Clicks", "Cost"],
    ...days.flatMap((day, index) => [
      [day, "Brand", "x", "one", 10, 2.5],
      [day, "Brand", "x", "two", 20 + index, 10],
    ]),
  ];

  it("is refused where sheets say the same at several levels, and read by the one that is named", async () => {
    const sheets = { Campaigns: campaigns, Notes: [["read me"]], Ads: ads };
    await expect(importSheets(sheets)).rejects.toThrow(
      "The sheets “Campaigns” and “Ads” tell the same days of the same campaigns at different levels of detail, such as “Brand” on 2026-03-01: read together, they would count twice. Say which one is to be read by `sheet`: “Campaigns”, “Ads”. Nothing was imported.",
    );
    expect(await sums()).toEqual([]);
    await importSheets(sheets, { sheet: "Ads" });
    expect((await sums()).map(({ day, clicks, spend }) => [day, clicks, spend])).toEqual([
      ["2026-03-01", "30", "12.5"],
      ["2026-03-02", "31", "12.5"],
      ["2026-03-03", "32", "12.5"],
    ]);
  });

  it("is refused where sheets have the same sums by different breakdowns", async () => {
    const by = (name: string, parts: string[]) => [
      ["Day", "Campaign", name, "Clicks", "Cost"],
      ...days.flatMap((day) => parts.map((part, at) => [day, "Brand", part, 10 * (3 - at), 5])),
    ];
    await expect(
      importSheets({
        Devices: by("Device", ["mobile", "desktop"]),
        Ages: by("Age", ["18-24", "25-34"]),
      }),
    ).rejects.toThrow(/“Devices” and “Ages” tell the same .* with the same numbers/);
  });

  it("adds up where sheets are parts of a whole, of other days, or of other metrics", async () => {
    const country = (clicks: number): Row[] => [
      ["Day", "Campaign", "Clicks"],
      ...days.map((day, index) => [day, "Brand", clicks + index]),
    ];
    await importSheets({
      Germany: country(10),
      France: country(20),
      April: [
        ["Day", "Campaign", "Ad group", "Clicks"],
        ["2026-04-01", "Brand", "x", 5],
      ],
      Sales: [
        ["Day", "Campaign", "Revenue"],
        ["2026-03-01", "Brand", 99],
      ],
    });
    expect((await sums()).map(({ day, clicks, revenue }) => [day, clicks, revenue])).toEqual([
      ["2026-03-01", "30", "99"],
      ["2026-03-02", "32", null],
      ["2026-03-03", "34", null],
      ["2026-04-01", "5", null],
    ]);
  });

  it("has a platform and a currency for each sheet", async () => {
    const sheet = (cost: string): Row[] => [
      ["Day", "Campaign", cost],
      ["2026-03-01", "Brand", 10],
    ];
    await importSheets({
      Google: sheet("Cost (EUR)"),
      Meta: sheet("Cost (USD)"),
      TikTok: sheet("Cost"),
    });
    expect(
      (await sums()).map(({ platform, currency, spend }) => [platform, currency, spend]),
    ).toEqual([
      ["google_ads", "EUR", "10"],
      ["meta", "USD", "10"],
      ["tiktok", "XXX", "10"],
    ]);
  });

  it("is known by a sample where its days are many", async () => {
    const many = (ad: boolean): Row[] => [
      ["Day", "Campaign", ...(ad ? ["Ad"] : []), "Clicks"],
      ...Array.from({ length: 30_000 }, (_, index) => [
        days[(index + (ad ? 29_900 : 0)) % 3] ?? "",
        `Campaign ${index + (ad ? 29_900 : 0)}`,
        ...(ad ? ["a"] : []),
        1,
      ]),
    ];
    await expect(importSheets({ Whole: many(false), Ads: many(true) })).rejects.toThrow(
      "would count twice",
    );
  });
});

describe("files as people have them", () => {
  it.each(Object.entries(EXPORTS))("says the same: %s", async (_name, { platform, make }) => {
    const result = await run(await upload(await make(), "march"));
    expect(result).toMatchObject({ accepted: TOLD.length, campaigns: 2 });
    const expected = TOLD.map((row) => ({
      platform,
      name: row.campaign,
      currency: "EUR",
      day: row.day,
      impressions: String(row.impressions),
      clicks: String(row.clicks),
      spend: String(row.spend / 100),
      conversions: String(row.conversions),
      revenue: String(row.revenue / 100),
    }));
    const order = (a: { name: string; day: string }, b: { name: string; day: string }) =>
      a.name < b.name ? -1 : a.name > b.name ? 1 : a.day < b.day ? -1 : 1;
    expect((await sums()).sort(order)).toEqual(expected.sort(order));
  });

  it("reads what connectors store of Google's API, micros and all", async () => {
    for (const file of ["campaign", "ad-group"]) {
      const text = await readFile(`${FOLDER}dbt-google-ads-${file}-stats.csv`, "utf8");
      const [header = "", ...lines] = text.trim().split(/\r?\n/);
      const at = (name: string) => header.split(",").indexOf(name);
      // No cell before these has a comma in it.
      const total = (name: string) =>
        lines.reduce((all, line) => all + Number(line.split(",")[at(name)]), 0);
      const expected = [total("clicks"), total("cost_micros") / 1e6];
      await database.pool.query("DELETE FROM campaigns; DELETE FROM campaign_imports");
      expect(await importText(text)).toMatchObject({ accepted: lines.length, rejected: 0 });
      const found = await sums();
      expect(found.every(({ platform }) => platform === "google_ads")).toBe(true);
      expect(found.reduce((all, { clicks }) => all + Number(clicks), 0)).toBe(expected[0]);
      expect(found.reduce((all, { spend }) => all + Number(spend), 0)).toBeCloseTo(
        expected[1] ?? 0,
        6,
      );
    }
  });

  it("reads a sheet in Persian: its calendar, digits, letters of an Arabic keyboard and column names", async () => {
    const result = await importText(
      [
        "تاریخ;نام كمپین;گروه تبلیغاتی;تعداد نمایش;کلیک‌ها;هزینه (ریال);تبدیل;درآمد",
        "۱۴۰۵/۰۸/۲۹;یلدا;الف;۱٬۲۰۰;۱۲;۱٬۵۰۰٬۰۰۰;۱٫۵;۹٬۰۰۰٬۰۰۰",
        "۱۴۰۵/۰۸/۳۰;یلدا;ب;۸۰۰;۸;۵۰۰٬۰۰۰٫۲۵;۰;۰",
        "۱۴۰۵/۰۸/۳۱;یلدا;ب;۸۰۰;۸;۱;۰;۰",
        "جمع کل;;;۲٬۸۰۰;۲۸;;;",
      ].join("\n"),
    );
    expect(result).toMatchObject({ accepted: 2, rejected: 2, campaigns: 1 });
    const base = { platform: "other", name: "یلدا", currency: "IRR" };
    expect(await sums()).toEqual([
      {
        ...base,
        day: "2026-11-20",
        impressions: "1200",
        clicks: "12",
        spend: "1500000",
        conversions: "1.5",
        revenue: "9000000",
      },
      {
        ...base,
        day: "2026-11-21",
        impressions: "800",
        clicks: "8",
        spend: "500000.25",
        conversions: "0",
        revenue: "0",
      },
    ]);
    expect(rejectedText(result)).toContain("“۱۴۰۵/۰۸/۳۱” is no day");
  });

  it("reads sheets that have columns for each channel", async () => {
    expect(await importText(await readFile(`${FOLDER}robyn-weekly.csv`, "utf8"))).toMatchObject({
      accepted: 6,
      campaigns: 5,
    });
    const spent = async () =>
      Object.fromEntries(
        (
          await database.pool.query<{ name: string; spend: number }>(
            "SELECT name, round(sum(spend_micros) / 1e6)::float AS spend FROM campaign_facts JOIN campaigns ON number = campaign GROUP BY name",
          )
        ).rows.map(({ name, spend }) => [name, spend]),
      );
    expect(await spent()).toMatchObject({ tv: 167_647, ooh: 409_614, facebook: 21_833 });
    await database.pool.query("DELETE FROM campaigns; DELETE FROM campaign_imports");
    await importText(await readFile(`${FOLDER}meridian-geo.csv`, "utf8"));
    expect(await spent()).toMatchObject({ channel0: 34_593, channel4: 30_470 });
  });
});
