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
  /** Places of facts by a hash of their keys, plus one; 0 is free. Keys are compared where they stand. */
  #slots = new Int32Array(FIRST_SLOTS);

  add(key: FactKey, amounts: Amounts): void {
    const columns = this.columns;
    let slot = hashOf(key) & (this.#slots.length - 1);
    for (let taken = this.#slots[slot] ?? 0; taken > 0; taken = this.#slots[slot] ?? 0) {
      if (this.#isAt(taken - 1, key)) return addUp(columns, taken - 1, amounts);
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    this.#slots[slot] = columns.campaign.push(key.campaign);
    columns.day.push(key.day);
    columns.adGroup.push(key.adGroup);
    columns.ad.push(key.ad);
    columns.segment.push("");
    columns.impressions.push(amounts[0]);
    columns.clicks.push(amounts[1]);
    columns.spendMicros.push(amounts[2]);
    columns.conversionMicros.push(amounts[3]);
    columns.revenueMicros.push(amounts[4]);
    if (columns.campaign.length * 2 > this.#slots.length) this.#grow();
  }

  #isAt(place: number, { campaign, day, adGroup, ad }: FactKey): boolean {
    const columns = this.columns;
    return (
      columns.campaign[place] === campaign &&
      columns.day[place] === day &&
      columns.adGroup[place] === adGroup &&
      columns.ad[place] === ad
    );
  }

  #grow(): void {
    const { campaign, day, adGroup, ad } = this.columns;
    const slots = new Int32Array(this.#slots.length * 2);
    for (let place = 0; place < campaign.length; place += 1) {
      const key = {
        campaign: campaign[place] ?? 0,
        day: day[place] ?? "",
        adGroup: adGroup[place] ?? "",
        ad: ad[place] ?? "",
      };
      let slot = hashOf(key) & (slots.length - 1);
      while ((slots[slot] ?? 0) > 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = place + 1;
    }
    this.#slots = slots;
  }
}

/** A power of two; twice as many as there are facts in most chunks. */
const FIRST_SLOTS = 65_536;

/** FNV-1a, and its upper bits mixed into the lower ones, which are looked at. */
function hashOf({ campaign, day, adGroup, ad }: FactKey): number {
  let hash = Math.imul(campaign ^ 0x811c9dc5, 0x01000193);
  // The century is the same in all.
  for (let at = 2; at < day.length; at += 1)
    hash = Math.imul(hash ^ day.charCodeAt(at), 0x01000193);
  for (let at = 0; at < adGroup.length; at += 1)
    hash = Math.imul(hash ^ adGroup.charCodeAt(at), 0x01000193);
  for (let at = 0; at < ad.length; at += 1)
    hash = Math.imul(hash ^ (ad.charCodeAt(at) + 7), 0x01000193);
  return hash ^ (hash >>> 15);
}

function addUp(columns: FactColumns, place: number, amounts: Amounts): void {
  addTo(columns.impressions, place, amounts[0]);
  addTo(columns.clicks, place, amounts[1]);
  addTo(columns.spendMicros, place, amounts[2]);
  addTo(columns.conversionMicros, place, amounts[3]);
  addTo(columns.revenueMicros, place, amounts[4]);
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
