import type pg from "pg";
import type { Amount, FactColumns } from "#core/campaigns/store-facts.ts";
import { newId } from "#core/kernel/ids.ts";
import type { Principal } from "#core/kernel/principal.ts";

/** A fact as a test writes it; what it leaves out is 0, or `''`. */
export interface TestFact {
  campaign: number;
  day: string;
  adGroup?: string;
  ad?: string;
  segment?: string;
  impressions?: Amount;
  clicks?: Amount;
  /** In whole units of the currency, and whole conversions; null is "the file does not say". */
  spend?: number | null;
  conversions?: number | null;
  revenue?: number | null;
}

const micros = (value: number | null | undefined) =>
  value === null ? null : BigInt(Math.round((value ?? 0) * 1_000_000));

export function factColumns(facts: readonly TestFact[]): FactColumns {
  return {
    campaign: facts.map(({ campaign }) => campaign),
    day: facts.map(({ day }) => day),
    adGroup: facts.map(({ adGroup }) => adGroup ?? ""),
    ad: facts.map(({ ad }) => ad ?? ""),
    segment: facts.map(({ segment }) => segment ?? ""),
    impressions: facts.map(({ impressions }) => (impressions === undefined ? 0 : impressions)),
    clicks: facts.map(({ clicks }) => (clicks === undefined ? 0 : clicks)),
    spendMicros: facts.map(({ spend }) => micros(spend)),
    conversionMicros: facts.map(({ conversions }) => micros(conversions)),
    revenueMicros: facts.map(({ revenue }) => micros(revenue)),
  };
}

export async function addTeam(pool: pg.Pool, id: string): Promise<void> {
  await pool.query("INSERT INTO teams (id, name) VALUES ($1, $1)", [id]);
}

/** Adds a campaign and says its id and number. */
export async function addCampaign(
  pool: pg.Pool,
  teamId: string,
  over: { name?: string; platform?: string; currency?: string; channel?: string } = {},
): Promise<{ id: string; number: number }> {
  const id = newId("campaign");
  const { name = id, platform = "google_ads", currency = "USD", channel = null } = over;
  const { rows } = await pool.query<{ number: string }>(
    `INSERT INTO campaigns (id, team_id, platform, natural_key, currency, name, channel)
     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING number`,
    [id, teamId, platform, `name:${name}`, currency, name, channel],
  );
  return { id, number: Number(rows[0]?.number) };
}

/** A key of a team that may use skills. */
export const keyOf = (teamId: string): Principal => ({
  kind: "key",
  teamId,
  keyId: "key_a",
  scopes: ["skills"],
  models: ["*"],
});
