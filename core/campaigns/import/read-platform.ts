import { plainName } from "./column-names.ts";

/** Ways in which rows and files name a platform, and what it is called here. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/\b(?:google|adwords|youtube|gads|gdn|performance max|pmax)\b/, "google_ads"],
  [/\b(?:meta|facebook|instagram|fb|ig|audience network|messenger)\b/, "meta"],
  [/\b(?:tiktok|tik tok)\b/, "tiktok"],
  [/\b(?:linkedin|linked in)\b/, "linkedin"],
  [/\b(?:microsoft|bing)\b/, "microsoft_ads"],
];

/** Columns that only one platform's exports have, by their plain names. */
const SIGNATURES: readonly (readonly [string, readonly string[]])[] = [
  [
    "google_ads",
    [
      "conv value",
      "impr",
      "campaign type",
      "search impr share",
      "avg cpc",
      "cost conv",
      "interaction rate",
      "cost micros",
      "ad network type",
      "conversions value",
      "customer id",
      "currency code",
    ],
  ],
  [
    "meta",
    [
      "ad set name",
      "amount spent",
      "reporting starts",
      "reporting ends",
      "results",
      "reach",
      "frequency",
      "link clicks",
      "adset name",
      "ad set budget",
    ],
  ],
  [
    "tiktok",
    [
      "by day",
      "clicks destination",
      "ctr destination",
      "cpc destination",
      "stat time day",
      "2 second video views",
      "total complete payment rate",
    ],
  ],
  [
    "linkedin",
    [
      "start date in utc",
      "campaign group name",
      "total spent",
      "campaign group id",
      "total engagements",
      "account name",
      "total conversions",
    ],
  ],
];

/** The platform as it is stored: one that is known under its name here, any other as lower case with underscores. */
export function platformSlug(text: string): string {
  const plain = plainName(text);
  const known = KNOWN.find(([pattern]) => pattern.test(plain));
  return known?.[1] ?? (plain.replaceAll(" ", "_").slice(0, 60) || "other");
}

/**
 * The platform that a file or sheet is an export of, by its columns and by what it is called, the nearest name first;
 * `other` where neither tells.
 */
export function platformOfFile(names: readonly string[], texts: readonly string[]): string {
  const plain = new Set(names.map(plainName));
  let best = { platform: "other", score: 1 };
  for (const [platform, columns] of SIGNATURES) {
    const score = columns.filter((name) => plain.has(name)).length;
    if (score > best.score) best = { platform, score };
  }
  if (best.platform !== "other") return best.platform;
  const said = texts.map((text) => KNOWN.find(([pattern]) => pattern.test(plainName(text))));
  return said.find((known) => known !== undefined)?.[1] ?? "other";
}
