import type { KeyFigure, Report, ReportLanguage, Table, Value } from "#core/reports/report.ts";

/** Three campaigns' names as people give them, one of them mixed and one with emoji; more are numbered. */
const NAMES = [
  "Search – Brand – DE/AT/CH",
  "کمپین نوروز ۱۴۰۵ (CTR 3.2%)",
  "Performance Max 🚀 Summer Sale 2026 – all products, all countries, remarketing and new customers together",
  "Retargeting | cart abandoners [30d]",
  "فروش ویژهٔ تابستان",
  "LinkedIn ABM <Tier 1> & partners",
  "YouTube – product film",
];
const PLATFORMS = ["google_ads", "meta", "tiktok", "linkedin"];

interface Shape {
  language: ReportLanguage;
  days: number;
  campaigns: number;
  /** Makes other numbers in the tables of days and campaigns. */
  seed: number;
}

/** A report as it would be of a month of an agency's client; the same numbers each time. */
export function exampleReport(shape: Partial<Shape> = {}): Report {
  const { language = "en", days = 31, campaigns = 14, seed = 0 } = shape;
  const words = WORDS[language];
  const dayRows = Array.from({ length: days }, (_, index) => dayRow(index, seed));
  const labels = words.columns;
  return {
    version: 1,
    language,
    direction: language === "fa" ? "rtl" : "ltr",
    cover: {
      title: words.title,
      team: words.team,
      period: { from: dayOf(0), to: dayOf(days - 1) },
      previous: { from: "2026-08-31", to: "2026-09-30" },
      scope: words.scope,
      generatedAt: "2026-11-01T06:30:00.000Z",
      timeZone: "Asia/Tehran",
    },
    summary: words.summary,
    keyFigures: [{ currency: "USD", figures: keyFigures(words.figures) }],
    charts: [
      {
        title: words.charts[0] ?? "",
        type: "line",
        categories: dayRows.map((row) => String(row[0])),
        categoryKind: "date",
        kind: "money",
        currency: "USD",
        series: [
          { label: labels.spend, values: dayRows.map((row) => row[3] as number) }, // dayRow puts a number there
          { label: labels.revenue, values: dayRows.map((row) => row[5] as number | null) }, // or null
        ],
      },
      {
        title: words.charts[1] ?? "",
        type: "bar",
        categories: ["Google Ads", "Meta", "TikTok", "LinkedIn"],
        categoryKind: "text",
        kind: "multiple",
        currency: null,
        series: [{ label: "ROAS", values: [4.21, 3.06, 1.874, null] }],
      },
    ],
    tables: {
      byDay: {
        ...measured(words.byDay, { key: "day", label: labels.day, kind: "date" }, labels),
        rows: dayRows,
      },
      byPlatform: {
        ...measured(
          words.byPlatform,
          { key: "platform", label: labels.platform, kind: "text" },
          labels,
        ),
        rows: PLATFORMS.map((platform, index) => [platform, ...sumsOf(index + 3)]),
        totals: [[words.total, ...sumsOf(31)]],
      },
      byCampaign: {
        ...measured(
          words.byCampaign,
          { key: "campaign", label: labels.campaign, kind: "text" },
          labels,
        ),
        rows: Array.from({ length: campaigns }, (_, index) => [
          NAMES[index] ?? `${words.campaign} ${index + 1}`,
          ...sumsOf(index + 1 + seed / 7),
        ]),
      },
    },
    movements: [
      {
        title: words.movement,
        sentences: words.moved,
        table: {
          title: words.movement,
          columns: [
            { key: "part", label: labels.platform, kind: "text" },
            { key: "effect", label: words.effect, kind: "money" },
          ],
          rows: [
            ["Google Ads", -1.83],
            ["Meta", 0.62],
            ["TikTok", 0.11],
          ],
          currency: { code: "USD" },
          totals: [[words.total, -1.1]],
          note: null,
        },
      },
    ],
    benchmarks: {
      table: {
        title: words.benchmarks,
        columns: [
          { key: "metric", label: words.metric, kind: "text" },
          { key: "value", label: words.ours, kind: "ratio" },
          { key: "benchmark", label: words.benchmarks, kind: "ratio" },
          { key: "source", label: words.source, kind: "text" },
        ],
        rows: [
          ["CTR", 0.0321, 0.0313, "Example Insights"],
          ["CVR", null, 0.0752, "Example Insights"],
        ],
        currency: null,
        totals: [],
        note: null,
      },
      sources: [
        { name: "Example Insights", period: "2025", url: "https://benchmarks.example/2025" },
      ],
      sentences: words.benchmarkNote,
    },
    appendix: words.appendix,
  };
}

const FIRST_DAY = Date.UTC(2026, 9, 1);

function dayOf(index: number): string {
  return new Date(FIRST_DAY + index * 86_400_000).toISOString().slice(0, 10);
}

function dayRow(index: number, seed: number): Value[] {
  const wave = 1 + Math.sin(index / 3 + seed) / 4 + (index % 7) / 20;
  const clicks = Math.round(4_120 * wave);
  const spend = Math.round(1_734.5 * wave * 100) / 100;
  const revenue = index === 11 ? null : Math.round(spend * (3.1 + Math.cos(index / 4)) * 100) / 100;
  return [
    dayOf(index),
    Math.round(128_400 * wave),
    clicks,
    spend,
    Math.round(clicks * 0.034),
    revenue,
    0.0321,
    spend / clicks,
    revenue === null ? null : revenue / spend,
  ];
}

function sumsOf(size: number): Value[] {
  const clicks = Math.round(3_211 * size);
  const spend = 2_044.75 * size;
  return [
    Math.round(98_765 * size),
    clicks,
    spend,
    77.5 * size,
    size % 5 === 0 ? null : spend * 3.3,
    0.03251,
    spend / clicks,
    size % 5 === 0 ? null : 3.3,
  ];
}

function measured(
  title: string,
  first: Table["columns"][number],
  labels: Record<string, string>,
): Table {
  const column = (key: string, kind: Table["columns"][number]["kind"]) => ({
    key,
    label: labels[key] ?? key,
    kind,
  });
  return {
    title,
    columns: [
      first,
      column("impressions", "count"),
      column("clicks", "count"),
      column("spend", "money"),
      column("conversions", "decimal"),
      column("revenue", "money"),
      column("ctr", "ratio"),
      column("cpc", "money"),
      column("roas", "multiple"),
    ],
    rows: [],
    currency: { code: "USD" },
    totals: [],
    note: null,
  };
}

function keyFigures(labels: readonly string[]): KeyFigure[] {
  const source = "Example Insights";
  const figure = (at: number, rest: Omit<KeyFigure, "label">): KeyFigure => ({
    label: labels[at] ?? "",
    ...rest,
  });
  return [
    figure(0, {
      metric: "spend",
      kind: "money",
      value: 53_769.5,
      previous: 50_121.25,
      change: 0.0728,
      welcome: null,
      benchmark: null,
    }),
    figure(1, {
      metric: "revenue",
      kind: "money",
      value: 171_532.11,
      previous: 149_870,
      change: 0.1445,
      welcome: true,
      benchmark: null,
    }),
    figure(2, {
      metric: "roas",
      kind: "multiple",
      value: 3.19,
      previous: 2.99,
      change: 0.0669,
      welcome: true,
      benchmark: { value: 2.87, source },
    }),
    figure(3, {
      metric: "ctr",
      kind: "ratio",
      value: 0.0321,
      previous: 0.0334,
      change: -0.0389,
      welcome: false,
      benchmark: { value: 0.0313, source },
    }),
    figure(4, {
      metric: "cpa",
      kind: "money",
      value: 12.41,
      previous: 13.51,
      change: -0.0814,
      welcome: true,
      benchmark: { value: 14.2, source },
    }),
    figure(5, {
      metric: "cvr",
      kind: "ratio",
      value: null,
      previous: null,
      change: null,
      welcome: null,
      benchmark: null,
    }),
  ];
}

const LONG = (text: string) => Array.from({ length: 3 }, () => text).join(" ");

const WORDS = {
  en: {
    title: "Campaign report for October 2026",
    team: "Acme Outdoor GmbH",
    scope: "All 14 campaigns on Google Ads, Meta, TikTok and LinkedIn.",
    summary: [
      "Spend grew by 7.3% to $53,770, while revenue grew by 14.5% to $171,532.",
      "Each dollar brought 3.19 dollars of revenue; in September it was 2.99.",
      "A conversion cost $12.41, which is 8.1% less than in the period before and below the benchmark of $14.20.",
    ],
    figures: [
      "Spend",
      "Revenue",
      "ROAS",
      "Click rate (CTR)",
      "Cost per conversion",
      "Conversion rate",
    ],
    charts: ["Spend and revenue by day (USD)", "ROAS by platform"],
    columns: {
      day: "Day",
      platform: "Platform",
      campaign: "Campaign",
      impressions: "Impressions",
      clicks: "Clicks",
      spend: "Spend",
      conversions: "Conversions",
      revenue: "Revenue",
      ctr: "CTR",
      cpc: "CPC",
      roas: "ROAS",
    },
    byDay: "By day",
    byPlatform: "By platform",
    byCampaign: "By campaign",
    campaign: "Campaign",
    total: "Total",
    movement: "Cost per conversion: $13.51 → $12.41",
    moved: [
      "Google Ads made a conversion $1.83 cheaper, Meta $0.62 dearer.",
      LONG(
        "The parts add up to the whole change, since each is what the platform's own figures and its share of all conversions did to it.",
      ),
    ],
    effect: "Effect",
    benchmarks: "Benchmark",
    metric: "Metric",
    ours: "This report",
    source: "Source",
    benchmarkNote: ["Published benchmarks disagree; each stands with its source and its period."],
    appendix: [
      {
        title: "How figures are made",
        sentences: [
          LONG(
            "Ratios come from sums, never from averages of ratios. Where the denominator is zero there is no value, which is shown as a dash.",
          ),
        ],
      },
    ],
  },
  fa: {
    title: "گزارش کمپین‌های مهر و آبان ۱۴۰۵",
    team: "شرکت طبیعت‌گردی آکمه (Acme)",
    scope: "همهٔ ۱۴ کمپین در Google Ads، Meta، TikTok و LinkedIn.",
    summary: [
      "هزینه ۷٫۳٪ رشد کرد و به ۵۳٬۷۷۰ دلار رسید؛ درآمد ۱۴٫۵٪ بیشتر شد و به ۱۷۱٬۵۳۲ دلار رسید.",
      "سال ۱۴۰۵ (CTR 3.2%) بهتر از معیار بود و هر دلار ۳٫۱۹ دلار درآمد آورد.",
      "هزینهٔ هر تبدیل ۱۲٫۴۱ دلار بود که ۸٫۱٪ کمتر از دورهٔ پیشین و پایین‌تر از معیار ۱۴٫۲۰ دلار است.",
    ],
    figures: [
      "هزینه",
      "درآمد",
      "بازده هزینه (ROAS)",
      "نرخ کلیک (CTR)",
      "هزینهٔ هر تبدیل",
      "نرخ تبدیل",
    ],
    charts: ["هزینه و درآمد روزانه (USD)", "بازده هزینه به تفکیک پلتفرم"],
    columns: {
      day: "روز",
      platform: "پلتفرم",
      campaign: "کمپین",
      impressions: "نمایش",
      clicks: "کلیک",
      spend: "هزینه",
      conversions: "تبدیل",
      revenue: "درآمد",
      ctr: "CTR",
      cpc: "CPC",
      roas: "ROAS",
    },
    byDay: "به تفکیک روز",
    byPlatform: "به تفکیک پلتفرم",
    byCampaign: "به تفکیک کمپین",
    campaign: "کمپین",
    total: "جمع",
    movement: "هزینهٔ هر تبدیل: از ۱۳٫۵۱ به ۱۲٫۴۱ دلار",
    moved: [
      "Google Ads هر تبدیل را ۱٫۸۳ دلار ارزان‌تر و Meta آن را ۰٫۶۲ دلار گران‌تر کرد.",
      LONG(
        "بخش‌ها با هم دقیقاً برابر کل تغییر هستند، زیرا هر بخش اثر ارقام خود پلتفرم و سهم آن از همهٔ تبدیل‌ها را نشان می‌دهد.",
      ),
    ],
    effect: "اثر",
    benchmarks: "معیار",
    metric: "شاخص",
    ours: "این گزارش",
    source: "منبع",
    benchmarkNote: ["معیارهای منتشرشده با هم تفاوت دارند؛ هر کدام با منبع و دورهٔ خود آمده است."],
    appendix: [
      {
        title: "ارقام چگونه به دست می‌آیند",
        sentences: [
          LONG(
            "نسبت‌ها از مجموع‌ها محاسبه می‌شوند و نه از میانگین نسبت‌ها. اگر مخرج صفر باشد مقداری وجود ندارد و با خط تیره نشان داده می‌شود.",
          ),
        ],
      },
    ],
  },
};
