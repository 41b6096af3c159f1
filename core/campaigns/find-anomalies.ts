import type { SQL } from "drizzle-orm";
import type { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { type Anomaly, detect, HISTORY_DAYS } from "./anomalies/detect.ts";
import { anomalySentence } from "./anomalies/sentences.ts";
import { seriesOf, WATCHED, type Watched } from "./anomalies/series.ts";
import { amongCampaigns, campaignFilter } from "./campaign-filter.ts";
import { addDays, lengthOf, type Period } from "./metrics/days.ts";
import { periodInput, resolvePeriod } from "./metrics/period.ts";
import { type Dimension, type Group, readAllGroups } from "./metrics/read-groups.ts";
import type { Sums } from "./metrics/sums.ts";
import { selectCampaigns } from "./read-metrics.ts";
import type { Language } from "./words/figures.ts";

/** The longest period that is searched. */
const LONGEST_DAYS = 100;
/** Campaigns that are watched one by one: those with the most spend. */
const MOST_CAMPAIGNS = 50;
/** How many anomalies are told of. */
const MOST_TOLD = 50;
/** Days of platforms, and of campaigns, that are read at most. */
const MOST_ROWS = 10_000;

export const findAnomaliesInput = campaignFilter.extend(periodInput.shape);
export type FindAnomaliesInput = z.output<typeof findAnomaliesInput>;

/** Where it was: the whole selection, a platform of it, or a campaign. */
export interface Place {
  currency: string;
  platform: string | null;
  campaign: { id: string; name: string } | null;
}

export interface FoundAnomaly extends Anomaly, Place {
  metric: Watched["metric"];
  sentences: Record<Language, string>;
}

/**
 * Days of a period that were unlike those before them: in the whole, by platform, and in the fifty campaigns with the
 * most spend. What a platform or campaign shows is told before what only follows from it. Needs the scope `skills`.
 * @throws AppError `missing_scope`, `forbidden`, `not_found` (the campaign), `validation_failed`, `invalid_request`
 */
export async function findAnomalies(
  context: Context,
  input: FindAnomaliesInput & { campaign_id?: string | undefined },
): Promise<{ period: Period; anomalies: FoundAnomaly[]; more: boolean }> {
  const where = await selectCampaigns(context, input);
  const period = await resolvePeriod(context, input, where);
  if (lengthOf(period) > LONGEST_DAYS) {
    const message = `Anomalies are searched in up to ${LONGEST_DAYS} days. Ask for less at a time.`;
    throw new AppError("validation_failed", { message, fields: [{ path: "from", message }] });
  }
  const places = await readPlaces(context, where, period, input.campaign_id !== undefined);
  const found = places.flatMap(({ place, days }) =>
    WATCHED.flatMap((watched) =>
      detect(seriesOf(watched, days), { from: period.from, leastVolume: watched.least }).map(
        (anomaly) => withSentences({ ...anomaly, ...place, metric: watched.metric }),
      ),
    ),
  );
  const sorted = found.toSorted((one, other) => Math.abs(other.score) - Math.abs(one.score));
  return { period, anomalies: sorted.slice(0, MOST_TOLD), more: sorted.length > MOST_TOLD };
}

function withSentences(anomaly: Omit<FoundAnomaly, "sentences">): FoundAnomaly {
  const sentences = { en: anomalySentence(anomaly, "en"), fa: anomalySentence(anomaly, "fa") };
  return { ...anomaly, sentences };
}

interface PlaceDays {
  place: Place;
  days: Map<string, Sums>;
}

async function readPlaces(
  context: Context,
  where: SQL,
  period: Period,
  isOneCampaign: boolean,
): Promise<PlaceDays[]> {
  const history = { from: addDays(period.from, -HISTORY_DAYS), to: period.to };
  const read = async (groupBy: Dimension[], of: SQL) => {
    const query = { where: of, period: history, groupBy, withPrevious: false, sort: null };
    return (await readAllGroups(context.db, query, MOST_ROWS)).groups;
  };
  const largest = await readAllGroups(
    context.db,
    { where, period, groupBy: ["campaign"], withPrevious: false, sort: "spend" },
    MOST_CAMPAIGNS,
  );
  const ids = largest.groups.flatMap(({ values }) => values);
  const [whole, platforms, campaigns] = await Promise.all([
    isOneCampaign ? [] : read(["day"], where),
    isOneCampaign ? [] : read(["platform", "day"], where),
    ids.length === 0 ? [] : read(["campaign", "day"], amongCampaigns(where, ids)),
  ]);
  const perPlatform = new Set(platforms.map(({ values, currency }) => `${currency} ${values[0]}`));
  const perCurrency = new Set(platforms.map(({ currency }) => currency));
  return [
    // Where there is one platform, the whole is that platform.
    ...(perPlatform.size > perCurrency.size ? gather(whole, () => ({})) : []),
    ...gather(platforms, ({ values }) => ({ platform: values[0] ?? null })),
    ...gather(campaigns, ({ values, campaign }) => ({
      campaign: { id: values[0] ?? "", name: campaign?.name ?? "" },
    })),
  ];
}

/** Groups that end with their day, as one series for each place. */
function gather(groups: Group[], placeOf: (group: Group) => Partial<Place>): PlaceDays[] {
  const places = new Map<string, PlaceDays>();
  for (const group of groups) {
    const { currency, values, current } = group;
    const name = [currency, ...values.slice(0, -1)].join("\u0000");
    const place: Place = { currency, platform: null, campaign: null, ...placeOf(group) };
    const known = places.get(name) ?? { place, days: new Map<string, Sums>() };
    known.days.set(values.at(-1) ?? "", current);
    places.set(name, known);
  }
  return [...places.values()];
}
