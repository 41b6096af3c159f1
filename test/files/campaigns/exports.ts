import { writeXlsx } from "hucre/xlsx";
import { writeCsv } from "#test/tables/write-csv.ts";

/** One day of one campaign, of which every export below tells. */
export interface Told {
  day: string;
  campaign: string;
  impressions: number;
  clicks: number;
  /** In cents. */
  spend: number;
  conversions: number;
  revenue: number;
}

export const TOLD: readonly Told[] = Array.from({ length: 40 }, (_, index) => ({
  day: `2026-03-${String((index % 20) + 1).padStart(2, "0")}`,
  campaign: index < 20 ? "Brand | DE" : 'Größe; "XL", neu',
  impressions: 1_200 + index * 37,
  clicks: 20 + index,
  spend: 123_456 + index * 1_001,
  conversions: index % 5,
  revenue: 1_000_000 + index * 99,
}));

const cents = (value: number) => (value / 100).toFixed(2);
const grouped = (value: number, group: string) => String(value).replace(/\B(?=(\d{3})+$)/g, group);
const money = (value: number, group: string, mark: string) => {
  const [whole = "", fraction = ""] = cents(value).split(".");
  return `${grouped(Number(whole), group)}${mark}${fraction}`;
};
const [year, month, date] = [0, 5, 8];
const dayParts = (day: string) => [day.slice(year, 4), day.slice(month, 7), day.slice(date)];
const slashed = (day: string, first: "day" | "month") => {
  const [y, m, d] = dayParts(day);
  return first === "day" ? `${d}/${m}/${y}` : `${m}/${d}/${y}`;
};
const plain = {
  delimiter: ",",
  lineEnd: "\n",
  encoding: "utf-8",
  quoteAll: false,
  lastLineEnd: true,
} as const;
const sum = (field: "impressions" | "clicks" | "spend") =>
  TOLD.reduce((all, row) => all + row[field], 0);

/** The same table as each platform exports it, and as people keep it; with the platform that is to be found. */
export const EXPORTS: Record<
  string,
  { platform: string; make(): Promise<Uint8Array> | Uint8Array }
> = {
  "Google Ads, UTF-16 with tabs, titles and totals": {
    platform: "google_ads",
    make: () =>
      writeCsv(
        [
          ["Campaign report"],
          ["March 1, 2026 - March 20, 2026"],
          [
            "Day",
            "Campaign",
            "Currency code",
            "Impr.",
            "Clicks",
            "CTR",
            "Cost",
            "Conversions",
            "Conv. value",
          ],
          ...TOLD.map((row) => [
            row.day,
            row.campaign,
            "EUR",
            grouped(row.impressions, ","),
            String(row.clicks),
            "1.2%",
            money(row.spend, ",", "."),
            `${row.conversions}.00`,
            money(row.revenue, ",", "."),
          ]),
          [
            "Total: Campaigns",
            " --",
            "EUR",
            grouped(sum("impressions"), ","),
            grouped(sum("clicks"), ","),
            "1.2%",
            money(sum("spend"), ",", "."),
            "80.00",
            "1",
          ],
        ],
        { ...plain, delimiter: "\t", encoding: "utf-16le", lineEnd: "\r\n" },
      ),
  },
  "Meta, quoted, with its sum of all rows first": {
    platform: "meta",
    make: () =>
      writeCsv(
        [
          [
            "Reporting starts",
            "Reporting ends",
            "Campaign name",
            "Impressions",
            "Reach",
            "Link clicks",
            "Amount spent (EUR)",
            "Results",
            "Purchases conversion value",
          ],
          [
            "2026-03-01",
            "2026-03-20",
            "",
            String(sum("impressions")),
            "1",
            String(sum("clicks")),
            cents(sum("spend")),
            "80",
            "1",
          ],
          ...TOLD.map((row) => [
            row.day,
            row.day,
            row.campaign,
            String(row.impressions),
            "9",
            String(row.clicks),
            cents(row.spend),
            String(row.conversions),
            cents(row.revenue),
          ]),
        ],
        { ...plain, encoding: "utf-8-mark", quoteAll: true },
      ),
  },
  "TikTok, a workbook with a total": {
    platform: "tiktok",
    make: () =>
      writeXlsx({
        sheets: [
          {
            name: "Data",
            rows: [
              [
                "Campaign name",
                "By Day",
                "Currency",
                "Cost",
                "Impressions",
                "Clicks (Destination)",
                "Conversions",
                "Total complete payment rate",
                "Complete payment value",
              ],
              ...TOLD.map((row) => [
                row.campaign,
                `${row.day} 00:00:00`,
                "EUR",
                row.spend / 100,
                row.impressions,
                row.clicks,
                row.conversions,
                0.1,
                row.revenue / 100,
              ]),
              [
                "Total of 40 results",
                "-",
                "-",
                sum("spend") / 100,
                sum("impressions"),
                sum("clicks"),
                80,
                0.1,
                1,
              ],
            ],
          },
        ],
      }),
  },
  "LinkedIn, month first, titles above": {
    platform: "linkedin",
    make: () =>
      writeCsv(
        [
          ["Campaign Performance Report (in UTC)"],
          ["Report Start: March 1, 2026, 12:00 AM"],
          [""],
          [
            "Start Date (in UTC)",
            "Account Name",
            "Currency",
            "Campaign Group Name",
            "Campaign Name",
            "Total Spent",
            "Impressions",
            "Clicks",
            "Conversions",
            "Total Conversion Value",
          ],
          ...TOLD.map((row) => [
            slashed(row.day, "month"),
            "Acme",
            "EUR",
            "Group",
            row.campaign,
            cents(row.spend),
            String(row.impressions),
            String(row.clicks),
            String(row.conversions),
            cents(row.revenue),
          ]),
        ],
        { ...plain, lineEnd: "\r\n" },
      ),
  },
  "a German sheet, Windows-1252 with semicolons and decimal commas": {
    platform: "other",
    make: () =>
      writeCsv(
        [
          [
            "Datum",
            "Kampagne",
            "Währung",
            "Impressionen",
            "Klicks",
            "Kosten",
            "Conversionen",
            "Umsatz",
          ],
          ...TOLD.map((row) => [
            dayParts(row.day).toReversed().join("."),
            row.campaign,
            "EUR",
            grouped(row.impressions, "."),
            String(row.clicks),
            `${money(row.spend, ".", ",")} €`,
            `${row.conversions},0`,
            money(row.revenue, ".", ","),
          ]),
          ["Gesamt", "", "", grouped(sum("impressions"), "."), "1", "1", "1", "1"],
        ],
        { ...plain, delimiter: ";", encoding: "windows-1252" },
      ),
  },
  "a sheet with a header merged over two rows, day first": {
    platform: "other",
    make: () =>
      writeXlsx({
        sheets: [
          {
            name: "Sheet 1",
            rows: [
              ["Advertising in March", "", "", "", "", "", "", ""],
              ["Date", "Campaign", "Currency", "Reach", "", "Money", "", ""],
              ["", "", "", "Impressions", "Clicks", "Spend", "Conversions", "Revenue"],
              ...TOLD.map((row) => [
                slashed(row.day, "day"),
                row.campaign,
                "EUR",
                row.impressions,
                row.clicks,
                row.spend / 100,
                row.conversions,
                row.revenue / 100,
              ]),
            ],
          },
        ],
      }),
  },
};
