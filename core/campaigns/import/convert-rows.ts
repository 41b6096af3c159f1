import { cellText } from "../../tables/cell-text.ts";
import type { Cell, TableBatch } from "../../tables/table.ts";
import type { Amount, FactColumns } from "../store-facts.ts";
import { CampaignBook, type CampaignNames } from "./campaign-book.ts";
import { isCurrency } from "./column-names.ts";
import { cleanName, fitsKey } from "./clean-name.ts";
import { type Amounts, FactSums } from "./fact-sums.ts";
import type { ChannelColumns, FoundPlan, SheetLayout } from "./layout.ts";
import { noDay, readDay } from "./read-day.ts";
import { type DecimalMark, readNumber } from "./read-number.ts";
import { platformSlug } from "./read-platform.ts";
import { isTotal, saysNothing } from "./totals.ts";

/** A row that was set aside. */
export interface RejectedRow {
  line: number;
  reason: string;
  cells: readonly Cell[];
}

/** A batch of rows as what is stored of them. `campaign` of the facts is the place in `campaigns`. */
export interface ConvertedRows {
  rows: number;
  rejected: RejectedRow[];
  campaigns: CampaignNames[];
  facts: FactColumns;
}

/** Days are few, and each stands in many rows. */
const KNOWN_DAYS = 5_000;

/** Turns rows into facts by the plan of their file. Rows that cannot be read are set aside, one by one. */
export class RowConverter {
  readonly #plan: FoundPlan;
  readonly #days = new Map<string, string | null>();

  constructor(plan: FoundPlan) {
    this.#plan = plan;
  }

  convert(batch: TableBatch): ConvertedRows {
    const layout = this.#plan.sheets[batch.sheet ?? ""];
    const campaigns = new CampaignBook();
    const sums = new FactSums();
    const result: ConvertedRows = {
      rows: 0,
      rejected: [],
      campaigns: campaigns.list,
      facts: sums.columns,
    };
    if (layout === undefined) return result;
    const rejected = batch.broken
      .filter(({ line }) => line > layout.headerLine)
      .map(({ line, reason }): RejectedRow => ({ line, reason, cells: [] }));
    for (const [index, cells] of batch.rows.entries()) {
      const line = batch.lines[index] ?? 0;
      if (line <= layout.headerLine) continue;
      result.rows += 1;
      const reason = this.#take(cells, layout, { campaigns, sums });
      if (reason !== null) rejected.push({ line, reason, cells });
    }
    result.rows += rejected.filter(({ cells }) => cells.length === 0).length;
    result.rejected = rejected.sort((a, b) => a.line - b.line);
    return result;
  }

  /** Why the row is set aside; null where it was taken. */
  #take(cells: readonly Cell[], layout: SheetLayout, into: Taking): string | null {
    const { columns } = layout;
    const dayCell = cells[columns.day ?? -1] ?? "";
    const day = this.#day(dayCell);
    if (layout.channels.length > 0) {
      return day === null
        ? this.#notAFact(cells, layout, dayCell)
        : this.#takeChannels(cells, layout, { ...into, day });
    }
    const name = text(cells, columns.campaign);
    const id = text(cells, columns.campaign_id);
    const platform = text(cells, columns.platform);
    if (day === null || saysNothing(name || id || platform))
      return this.#notAFact(cells, layout, dayCell);
    if (isTotal(name, true)) return TOTALS;
    if (columns.last_day !== undefined && this.#severalDays(cells, layout, day))
      return SEVERAL_DAYS;
    const currency = currencyIn(text(cells, columns.currency), layout);
    if (currency === null) return `“${text(cells, columns.currency)}” is no currency of ISO 4217`;
    const adGroup = cleanName(text(cells, columns.ad_group));
    const ad = cleanName(text(cells, columns.ad));
    if (!fitsKey(adGroup) || !fitsKey(ad) || !fitsKey(name) || !fitsKey(id))
      return "a name is longer than 800 bytes";
    const amounts = this.#amounts(cells, layout);
    if (typeof amounts === "string") return amounts;
    const channel = text(cells, columns.channel);
    const named =
      id === "" && platform === "" && channel === "" && currency === layout.currency
        ? name
        : [name, id, platform, channel, currency].join("\n");
    const campaign = into.campaigns.placeOf(named, () => ({
      platform: platform === "" ? layout.platform : platformSlug(platform),
      name: cleanName(name || id || platform),
      externalId: id === "" ? null : idOf(id),
      currency,
      channel: channelOf(channel),
    }));
    into.sums.add({ campaign, day, adGroup, ad }, amounts);
    return null;
  }

  #takeChannels(
    cells: readonly Cell[],
    { channels, currency }: SheetLayout,
    into: Taking & { day: string },
  ): string | null {
    const read: { channel: ChannelColumns; amounts: Amounts }[] = [];
    for (const channel of channels) {
      const amounts = this.#amountsOf(cells, [
        channel.impressions,
        channel.clicks,
        channel.spend,
        null,
        null,
        null,
      ]);
      if (typeof amounts === "string") return amounts;
      read.push({ channel, amounts });
    }
    for (const { channel, amounts } of read) {
      const campaign = into.campaigns.placeOf(channel.name, () => ({
        platform: platformSlug(channel.name),
        name: channel.name,
        externalId: null,
        currency,
        channel: null,
      }));
      into.sums.add({ campaign, day: into.day, adGroup: "", ad: "" }, amounts);
    }
    return null;
  }

  #amounts(cells: readonly Cell[], { columns }: SheetLayout): Amounts | string {
    return this.#amountsOf(cells, [
      columns.impressions ?? null,
      columns.clicks ?? null,
      columns.spend ?? null,
      columns.spend_micros ?? null,
      columns.conversions ?? null,
      columns.revenue ?? null,
    ]);
  }

  /** In the order of METRIC_FIELDS. */
  #amountsOf(cells: readonly Cell[], places: readonly (number | null)[]): Amounts | string {
    const { mark } = this.#plan;
    const read: Amount[] = [null, null, null, null, null, null];
    for (let index = 0; index < 6; index += 1) {
      const place = places[index] ?? null;
      if (place === null) continue;
      const amount = readNumber(cells[place], mark, SCALES[index] ?? 1);
      if (amount === undefined) return noNumber(cells[place], mark);
      if (amount !== null && amount < 0 && index < 2)
        return `“${shown(cells[place])}” is less than nothing`;
      read[index] = amount;
    }
    const [
      impressions = null,
      clicks = null,
      spend = null,
      micros = null,
      conversions = null,
      revenue = null,
    ] = read;
    return [impressions, clicks, spend ?? micros, conversions, revenue];
  }

  /** Why a row without a day or a name is set aside. */
  #notAFact(cells: readonly Cell[], { columns }: SheetLayout, dayCell: Cell): string {
    const first = cells.find((cell) => cell !== "") ?? "";
    const names = [first, dayCell, cells[columns.campaign ?? -1] ?? ""].map(cellText);
    if (names.some((name) => isTotal(name, false))) return TOTALS;
    if (saysNothing(cellText(dayCell))) {
      // A platform's own sum of all rows names neither day nor campaign.
      return saysNothing(text(cells, columns.campaign)) ? TOTALS : "there is no day";
    }
    return this.#day(dayCell) === null ? noDay(dayCell, this.#plan.order) : "there is no campaign";
  }

  #severalDays(cells: readonly Cell[], { columns }: SheetLayout, day: string): boolean {
    const cell = cells[columns.last_day ?? -1] ?? "";
    return !saysNothing(cellText(cell)) && this.#day(cell) !== day;
  }

  #day(cell: Cell): string | null {
    if (typeof cell !== "string") return readDay(cell, this.#plan.order);
    const known = this.#days.get(cell);
    if (known !== undefined) return known;
    const day = readDay(cell, this.#plan.order);
    if (this.#days.size >= KNOWN_DAYS) this.#days.clear();
    this.#days.set(cell, day);
    return day;
  }
}

interface Taking {
  campaigns: CampaignBook;
  sums: FactSums;
}

const TOTALS = "a row of totals, which is not counted twice";
const SEVERAL_DAYS = "the row sums up several days: export it by day";
const MICROS = 1_000_000;
const SCALES = [1, 1, MICROS, 1, MICROS, MICROS];
const SHOWN = 60;

function text(cells: readonly Cell[], place: number | undefined): string {
  const cell = place === undefined ? "" : cells[place];
  return typeof cell === "string" ? cell : cellText(cell);
}

const shown = (cell: Cell | undefined): string => cellText(cell).slice(0, SHOWN);

/** Why a cell is set aside that readNumber reads none from. */
function noNumber(cell: Cell | undefined, mark: DecimalMark): string {
  const other = mark === "." ? "," : ".";
  const no = `“${shown(cell)}” is no number`;
  return readNumber(cell, other, 1) === undefined
    ? no
    : `${no} with “${mark}” before the fraction, as this file's others have it; is it decimal_mark ${other}?`;
}

/** `customers/1/campaigns/42` is how Google's API names campaign 42. */
const idOf = (id: string): string => cleanName(/(?:^|\/)campaigns\/(\d+)$/.exec(id)?.[1] ?? id);

function currencyIn(said: string, layout: SheetLayout): string | null {
  if (saysNothing(said)) return layout.currency;
  const code = said.toUpperCase();
  return isCurrency(code) ? code : null;
}

const channelOf = (type: string): string | null =>
  saysNothing(type) ? null : cleanName(type).toLowerCase().slice(0, 100);
