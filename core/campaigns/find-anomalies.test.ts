import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { addCampaign, addTeam, factColumns, keyOf, type TestFact } from "#test/campaigns/facts.ts";
import { openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { anomaliesAnswer, toAnomaliesAnswer } from "./anomaly-answer.ts";
import { findAnomalies, findAnomaliesInput } from "./find-anomalies.ts";
import { addDays } from "./metrics/days.ts";
import { storeFacts } from "./store-facts.ts";

let database: TestDatabase;
const FIRST = "2026-08-01";
let steady: { id: string; number: number };
let troubled: { id: string; number: number };

beforeAll(async () => {
  database = await openTestDatabase(inject("postgres"));
  await addTeam(database.pool, "team_a");
  steady = await addCampaign(database.pool, "team_a", { name: "Steady", platform: "meta" });
  troubled = await addCampaign(database.pool, "team_a", { name: "Troubled" });
  const facts: TestFact[] = [];
  for (let day = 0; day < 90; day++) {
    const usual = { impressions: 10_000, clicks: 400, spend: 100 + (day % 3), conversions: 20 };
    facts.push({ campaign: steady.number, day: addDays(FIRST, day), ...usual });
    // On day 80 it stood still, and on day 85 its landing page was down.
    if (day === 80) continue;
    const down = day === 85 ? { conversions: 1 } : {};
    facts.push({ campaign: troubled.number, day: addDays(FIRST, day), ...usual, ...down });
  }
  await storeFacts(database.context().db, "team_a", 1, factColumns(facts));
});
afterAll(() => database.drop());

const find = async (query: Record<string, string>, campaign?: string) => {
  const context = database.context({ principal: keyOf("team_a") });
  const input = { ...findAnomaliesInput.parse(query), campaign_id: campaign };
  return anomaliesAnswer.parse(toAnomaliesAnswer(await findAnomalies(context, input)));
};

it("finds the day on which a campaign stood still and the one on which nobody bought, and says how it knows", async () => {
  const { anomalies, more, period } = await find({});
  expect(period).toEqual({ from: addDays(FIRST, 60), to: addDays(FIRST, 89) });
  expect(more).toBe(false);
  const of = anomalies.filter(({ campaign }) => campaign === "Troubled");
  expect(new Set(of.map(({ day, metric }) => `${day} ${metric}`))).toEqual(
    new Set([
      `${addDays(FIRST, 80)} spend`,
      `${addDays(FIRST, 80)} conversions`,
      `${addDays(FIRST, 85)} conversions`,
      `${addDays(FIRST, 85)} cvr`,
    ]),
  );
  expect(
    anomalies.some(({ campaign, platform }) => campaign === "Steady" || platform === "meta"),
  ).toBe(false);
  const still = of.find(({ day, metric }) => metric === "spend" && day === addDays(FIRST, 80));
  expect(still?.sentences.en).toBe(
    "Spend of “\u2068Troubled\u2069” was 0.00 USD on 2026-10-20, where 101.00 USD is usual by the last 8 of the same weekday: 20.0 times the usual spread away.",
  );
  expect(still?.sentences.fa).toContain("۱۰۱٫۰۰ USD");
});

it("looks at one campaign where one is asked for, and refuses to search years", async () => {
  expect((await find({}, steady.id)).anomalies).toEqual([]);
  expect((await find({}, troubled.id)).anomalies.length).toBe(4);
  await expect(find({ from: "2025-01-01", to: "2026-10-01" })).rejects.toMatchObject({
    code: "validation_failed",
  });
});
