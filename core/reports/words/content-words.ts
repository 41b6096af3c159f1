import type { MetricName } from "../../campaigns/metrics/metric-values.ts";
import type { ReportLanguage } from "../report.ts";

/** The sentences and headings of a report's content. */
export interface ContentWords {
  /** Where nobody gave one; `span` is the period. */
  title(span: string): string;
  /** Heads of columns and cards: short. */
  metrics: Record<MetricName, string>;
  day: string;
  platform: string;
  campaign: string;
  currency: string;
  total: string;
  all(campaigns: string, platforms: string): string;
  some(campaigns: string, platforms: string): string;
  none: string;
  /** Joins names. */
  list(names: readonly string[]): string;
  was(metric: string, value: string): string;
  wasMore(metric: string, value: string, share: string): string;
  wasLess(metric: string, value: string, share: string): string;
  wasSame(metric: string, value: string): string;
  broughtMost(platform: string, metric: string, share: string): string;
  inCurrency(currency: string): string;
  spendAndRevenue: string;
  spendByDay: string;
  spendByPlatform: string;
  byPlatform(metric: string): string;
  change(metric: string): string;
  part: string;
  thisReport: string;
  /** Benchmarks from what the team's campaigns usually reach. */
  ownHistory: string;
  /** Campaigns that are not named. */
  others: string;
  benchmarkNote: string;
  noBenchmarks: string;
  severalCurrencies: string;
  rowsCut(shown: string): string;
  howMade: { title: string; sentences: readonly string[] };
  terms: { title: string; sentences: readonly string[] };
}

const en: ContentWords = {
  title: (span) => `Campaign report, ${span}`,
  metrics: {
    impressions: "Impressions",
    clicks: "Clicks",
    spend: "Spend",
    conversions: "Conversions",
    revenue: "Revenue",
    ctr: "CTR",
    cpc: "CPC",
    cpm: "CPM",
    cvr: "CVR",
    cpa: "CPA",
    roas: "ROAS",
  },
  day: "Day",
  platform: "Platform",
  campaign: "Campaign",
  currency: "Currency",
  total: "Total",
  all: (campaigns, platforms) => `All campaigns with data: ${campaigns}, on ${platforms}.`,
  some: (campaigns, platforms) => `The chosen campaigns with data: ${campaigns}, on ${platforms}.`,
  none: "No campaign has data in this period.",
  list: (names) => new Intl.ListFormat("en", { type: "conjunction" }).format(names),
  was: (metric, value) => `${metric}: ${value}.`,
  wasMore: (metric, value, share) =>
    `${metric}: ${value}, ${share} more than in the period before.`,
  wasLess: (metric, value, share) =>
    `${metric}: ${value}, ${share} less than in the period before.`,
  wasSame: (metric, value) => `${metric}: ${value}, as in the period before.`,
  broughtMost: (platform, metric, share) =>
    `Most ${metric.toLowerCase()} came from ${platform}: ${share}.`,
  inCurrency: (currency) => `Campaigns paid in ${currency}:`,
  spendAndRevenue: "Spend and revenue by day",
  spendByDay: "Spend by day",
  spendByPlatform: "Spend by platform",
  byPlatform: (metric) => `${metric} by platform`,
  change: (metric) => `Why ${metric} changed`,
  part: "Part of the change",
  thisReport: "This report",
  ownHistory: "The team's own campaigns",
  others: "All others",
  benchmarkNote:
    "Benchmarks are what others report, or what these campaigns usually reach. Published ones disagree, so each stands with its source and period.",
  noBenchmarks: "There is no benchmark for these platforms and metrics.",
  severalCurrencies:
    "Amounts of different currencies are never added up. Each row is in the currency that it names.",
  rowsCut: (shown) =>
    `Only the ${shown} rows with the most spend are listed; the totals are of all.`,
  howMade: {
    title: "How the figures are made",
    sentences: [
      "Ratios come from sums, never from averages of ratios.",
      "Where a denominator is zero or nobody reported it, there is no value; it is shown as a dash, never as zero.",
      "Changes compare with the period of equal length before.",
      "Days are those of the platforms' accounts.",
    ],
  },
  terms: {
    title: "Terms",
    sentences: [
      "CTR: clicks divided by impressions.",
      "CPC: spend divided by clicks.",
      "CPM: spend for a thousand impressions.",
      "CVR: conversions divided by clicks.",
      "CPA: spend divided by conversions.",
      "ROAS: revenue divided by spend.",
    ],
  },
};

/** Keeps a list of Latin names in the order of a Persian line. */
const RIGHT = "\u200f";
/** An amount within a sentence: its sign of currency would else turn what follows it. */
const apart = (value: string) => `\u2068${value}\u2069`;

const fa: ContentWords = {
  title: (span) => `گزارش کمپین‌ها، ${span}`,
  metrics: {
    impressions: "نمایش",
    clicks: "کلیک",
    spend: "هزینه",
    conversions: "تبدیل",
    revenue: "درآمد",
    ctr: "نرخ کلیک",
    cpc: "هزینهٔ کلیک",
    cpm: "هزینهٔ هزار نمایش",
    cvr: "نرخ تبدیل",
    cpa: "هزینهٔ تبدیل",
    roas: "بازده هزینه",
  },
  day: "روز",
  platform: "پلتفرم",
  campaign: "کمپین",
  currency: "ارز",
  total: "جمع",
  all: (campaigns, platforms) => `همهٔ کمپین‌های دارای داده: ${campaigns} کمپین در ${platforms}.`,
  some: (campaigns, platforms) =>
    `کمپین‌های انتخاب‌شدهٔ دارای داده: ${campaigns} کمپین در ${platforms}.`,
  none: "هیچ کمپینی در این دوره داده ندارد.",
  list: (names) =>
    names.length < 2
      ? names.join("")
      : `${names.slice(0, -1).join(`${RIGHT}، `)} و ${names.at(-1) ?? ""}`,
  was: (metric, value) => `${metric}: ${apart(value)}.`,
  wasMore: (metric, value, share) =>
    `${metric}: ${apart(value)}، ${apart(share)} بیشتر از دورهٔ پیشین.`,
  wasLess: (metric, value, share) =>
    `${metric}: ${apart(value)}، ${apart(share)} کمتر از دورهٔ پیشین.`,
  wasSame: (metric, value) => `${metric}: ${apart(value)}، برابر با دورهٔ پیشین.`,
  broughtMost: (platform, metric, share) =>
    `بیشترین سهم از ${metric} با ${platform} بود: ${apart(share)}.`,
  inCurrency: (currency) => `کمپین‌هایی که با ${currency} پرداخت شده‌اند:`,
  spendAndRevenue: "هزینه و درآمد به تفکیک روز",
  spendByDay: "هزینه به تفکیک روز",
  spendByPlatform: "هزینه به تفکیک پلتفرم",
  byPlatform: (metric) => `${metric} به تفکیک پلتفرم`,
  change: (metric) => `چرا ${metric} تغییر کرد`,
  part: "سهم از تغییر",
  thisReport: "این گزارش",
  ownHistory: "کمپین‌های خود تیم",
  others: "سایر کمپین‌ها",
  benchmarkNote:
    "معیارها ارقامی هستند که دیگران منتشر کرده‌اند یا این کمپین‌ها معمولاً به آن می‌رسند. معیارهای منتشرشده با هم تفاوت دارند، از این رو هر کدام با منبع و دورهٔ خود آمده است.",
  noBenchmarks: "برای این پلتفرم‌ها و شاخص‌ها معیاری وجود ندارد.",
  severalCurrencies:
    "مبالغ ارزهای مختلف هرگز با هم جمع نمی‌شوند. هر ردیف به ارزی است که در آن آمده است.",
  rowsCut: (shown) => `فقط ${shown} ردیف با بیشترین هزینه آمده است؛ جمع‌ها مربوط به همه است.`,
  howMade: {
    title: "ارقام چگونه به دست می‌آیند",
    sentences: [
      "نسبت‌ها از مجموع‌ها محاسبه می‌شوند و نه از میانگین نسبت‌ها.",
      "اگر مخرج صفر باشد یا کسی آن را گزارش نکرده باشد مقداری وجود ندارد و با خط تیره نشان داده می‌شود، نه با صفر.",
      "تغییرها در مقایسه با دوره‌ای با همان طول پیش از آن هستند.",
      "روزها همان روزهای حساب‌های پلتفرم‌ها هستند.",
    ],
  },
  terms: {
    title: "اصطلاحات",
    sentences: [
      "نرخ کلیک (CTR): کلیک تقسیم بر نمایش.",
      "هزینهٔ کلیک (CPC): هزینه تقسیم بر کلیک.",
      "هزینهٔ هزار نمایش (CPM): هزینه برای هر هزار نمایش.",
      "نرخ تبدیل (CVR): تبدیل تقسیم بر کلیک.",
      "هزینهٔ تبدیل (CPA): هزینه تقسیم بر تبدیل.",
      "بازده هزینه (ROAS): درآمد تقسیم بر هزینه.",
    ],
  },
};

const WORDS: Record<ReportLanguage, ContentWords> = { en, fa };

export function contentWords(language: ReportLanguage): ContentWords {
  return WORDS[language];
}
