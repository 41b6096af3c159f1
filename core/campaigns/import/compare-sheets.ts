import { keptText } from "../../tables/cell-text.ts";
import type { Table } from "../../tables/table.ts";
import type { Amount, FactColumns } from "../store-facts.ts";
import { campaignKey } from "./campaign-book.ts";
import { RowConverter } from "./convert-rows.ts";
import type { FoundPlan, SheetLayout } from "./layout.ts";

/** Days of campaigns that are held at once. Of more, a sample that does not depend on their order is compared. */
const MOST_KEYS = 50_000;

/** Two sheets that say the same of the same days, and a day of a campaign that stands in both. */
export interface RepeatedSheets {
  sheets: [string, string];
  campaign: string;
  day: string;
  /** Whether one is the other in more detail; else they are at the same level, with the same numbers. */
  levelsDiffer: boolean;
}

/**
 * Finds out whether two sheets of a workbook tell the same money, which would count twice if both were read: one by
 * campaign and one by ad, or one by device and one by age. Sheets of other days, campaigns or metrics, and parts of a
 * whole (a sheet for each country) do not.
 */
export async function findRepeatedSheets(
  table: Table,
  plan: FoundPlan,
): Promise<RepeatedSheets | null> {
  const days = new SampledDays();
  const converter = new RowConverter(plan);
  for await (const batch of table.batches()) {
    const { campaigns, facts } = converter.convert(batch);
    const keys = campaigns.map(campaignKey);
    for (const [at, place] of facts.campaign.entries()) {
      const key = `${facts.day[at] ?? ""}\n${campaigns[place]?.name ?? ""}\n${keys[place] ?? ""}`;
      days.add(key, batch.sheet ?? "", facts, at);
    }
  }
  const sheets = Object.keys(plan.sheets);
  for (const [index, one] of sheets.entries()) {
    for (const other of sheets.slice(index + 1)) {
      const levelsDiffer = levelOf(plan.sheets[one]) !== levelOf(plan.sheets[other]);
      const found = days.repeated([one, other], levelsDiffer);
      if (found !== null) return found;
    }
  }
  return null;
}

/** How much a sheet tells: of ads, of ad groups, or of campaigns as a whole. */
function levelOf(layout: SheetLayout | undefined): number {
  if (layout?.columns.ad !== undefined) return 2;
  return layout?.columns.ad_group === undefined ? 0 : 1;
}

/** What each sheet says of a campaign's day; null of what it does not say. */
type Said = (number | null)[];

class SampledDays {
  #days = new Map<string, Map<string, Said>>();
  /** Of so many keys one is held. */
  #step = 1;

  add(key: string, sheet: string, facts: FactColumns, at: number): void {
    let sheets = this.#days.get(key);
    if (sheets === undefined) {
      if (hashOf(key) % this.#step !== 0) return;
      sheets = new Map();
      this.#days.set(keptText(key), sheets);
      if (this.#days.size > MOST_KEYS) this.#thin();
    }
    const said = sheets.get(sheet) ?? [null, null, null, null, null];
    const more = [
      facts.impressions[at],
      facts.clicks[at],
      facts.spendMicros[at],
      facts.conversionMicros[at],
      facts.revenueMicros[at],
    ];
    sheets.set(
      sheet,
      said.map((sum, index) => added(sum, more[index] ?? null)),
    );
  }

  #thin(): void {
    this.#step *= 2;
    for (const key of this.#days.keys()) {
      if (hashOf(key) % this.#step !== 0) this.#days.delete(key);
    }
  }

  repeated(sheets: [string, string], levelsDiffer: boolean): RepeatedSheets | null {
    let first: string | null = null;
    let shared = 0;
    let equal = 0;
    for (const [key, said] of this.#days) {
      const [one, other] = sheets.map((sheet) => said.get(sheet));
      if (one === undefined || other === undefined) continue;
      const both = one.flatMap((sum, index) => {
        const theirs = other[index] ?? null;
        return sum === null || theirs === null || (sum === 0 && theirs === 0)
          ? []
          : [sum === theirs];
      });
      if (both.length === 0) continue;
      shared += 1;
      if (both.every(Boolean)) equal += 1;
      if (both.every(Boolean) || levelsDiffer) first ??= key;
    }
    // At one level equal numbers may be chance here and there; of two tellings of the same most are.
    if (first === null || (!levelsDiffer && equal * 2 < shared)) return null;
    const [day = "", campaign = ""] = first.split("\n");
    return { sheets, campaign, day, levelsDiffer };
  }
}

function added(sum: number | null, more: Amount): number | null {
  return more === null ? sum : (sum ?? 0) + Number(more);
}

/** FNV-1a, its upper bits mixed into the lower ones. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
