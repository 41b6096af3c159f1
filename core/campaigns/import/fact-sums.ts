import type { Amount, FactColumns } from "../store-facts.ts";

/** Impressions, clicks, spend, conversions, revenue: the last three in millionths. */
export type Amounts = readonly [Amount, Amount, Amount, Amount, Amount];

export interface FactKey {
  /** Any number that stands for the campaign. */
  campaign: number;
  day: string;
  adGroup: string;
  ad: string;
}

/** Facts of some rows, as columns. Rows that nothing tells apart are parts of a whole, and add up. */
export class FactSums {
  readonly columns: FactColumns = {
    campaign: [],
    day: [],
    adGroup: [],
    ad: [],
    segment: [],
    impressions: [],
    clicks: [],
    spendMicros: [],
    conversionMicros: [],
    revenueMicros: [],
  };
  readonly #places = new Map<string, number>();

  add({ campaign, day, adGroup, ad }: FactKey, amounts: Amounts): void {
    const key = `${campaign} ${day}${adGroup}\n${ad}`;
    const columns = this.columns;
    const place = this.#places.get(key);
    if (place === undefined) {
      this.#places.set(key, columns.campaign.push(campaign) - 1);
      columns.day.push(day);
      columns.adGroup.push(adGroup);
      columns.ad.push(ad);
      columns.segment.push("");
      columns.impressions.push(amounts[0]);
      columns.clicks.push(amounts[1]);
      columns.spendMicros.push(amounts[2]);
      columns.conversionMicros.push(amounts[3]);
      columns.revenueMicros.push(amounts[4]);
      return;
    }
    addTo(columns.impressions, place, amounts[0]);
    addTo(columns.clicks, place, amounts[1]);
    addTo(columns.spendMicros, place, amounts[2]);
    addTo(columns.conversionMicros, place, amounts[3]);
    addTo(columns.revenueMicros, place, amounts[4]);
  }
}

function addTo(column: Amount[], place: number, more: Amount): void {
  if (more === null) return;
  const before = column[place] ?? null;
  if (before === null) column[place] = more;
  else if (
    typeof before === "number" &&
    typeof more === "number" &&
    Number.isSafeInteger(before + more)
  ) {
    column[place] = before + more;
  } else column[place] = BigInt(before) + BigInt(more);
}
