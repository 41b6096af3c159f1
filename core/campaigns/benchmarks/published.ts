import type { RatioName } from "../metrics/ratios.ts";

/** A figure that somebody has published, or the range of one. */
export interface PublishedFigure {
  metric: RatioName;
  /** What was published as the average; null where only a range was. */
  value: number | null;
  median?: number;
  low?: number;
  high?: number;
}

/** Figures of one source, for one platform and kind of advertising, from one period. */
export interface PublishedBenchmark {
  id: string;
  /** Who measured. */
  source: string;
  /** Where the figures were read; the measurer's own page is not always open. */
  url: string;
  /** What was measured over; null where the source does not say. */
  period: { from: string; to: string } | null;
  /** The year in which it was published. */
  published: number;
  platform: string;
  channel: string | null;
  /** Null is all industries together. */
  industry: string | null;
  /** Of amounts. */
  currency: string;
  sample: string;
  figures: PublishedFigure[];
}

/**
 * Published figures, each with its source, since they disagree: a search CTR is 6.11 % to one and 3.13 % to another, of the
 * same year. Single figures, named with who measured them; no table of a source is repeated here. Read in November 2026.
 */
export const PUBLISHED: readonly PublishedBenchmark[] = [
  {
    id: "wordstream_search_2026",
    source: "WordStream by LocaliQ, search advertising benchmarks 2026",
    url: "https://www.prismnews.com/topics/agency-seo-growth/wordstream-report-shows-google-ads-ctr-rises-to-664-across",
    period: { from: "2025-04-01", to: "2026-03-31" },
    published: 2026,
    platform: "google_ads",
    channel: "search",
    industry: null,
    currency: "USD",
    sample: "more than 13,000 campaigns in the United States, Microsoft Ads among them",
    figures: [
      { metric: "ctr", value: 0.0664 },
      { metric: "cpc", value: 5.42 },
      { metric: "cvr", value: 0.0818 },
      { metric: "cpa", value: 66.69 },
    ],
  },
  {
    id: "wordstream_search_2023",
    source: "WordStream by LocaliQ, search advertising benchmarks 2023",
    url: "https://varn.co.uk/05/31/google-ads-benchmarks-2023-key-trends-insights-for-every-industry-varns-view/",
    period: { from: "2022-04-01", to: "2023-03-31" },
    published: 2023,
    platform: "google_ads",
    channel: "search",
    industry: null,
    currency: "USD",
    sample: "17,253 campaigns in the United States, about a fifth of them Microsoft Ads",
    figures: [
      { metric: "ctr", value: 0.0611 },
      { metric: "cpc", value: 4.22 },
      { metric: "cvr", value: 0.0704 },
      { metric: "cpa", value: 53.52 },
    ],
  },
  {
    id: "worldmetrics_search_2023",
    source: "WorldMetrics, PPC statistics",
    url: "https://worldmetrics.org/ppc-statistics",
    period: null,
    published: 2023,
    platform: "google_ads",
    channel: "search",
    industry: null,
    currency: "USD",
    sample: "not said; compared with 2022",
    figures: [
      { metric: "ctr", value: 0.0313 },
      { metric: "cpc", value: 2.69 },
      { metric: "cpa", value: 44.14 },
    ],
  },
  {
    id: "wordstream_meta_leads_2026",
    source: "WordStream's benchmarks of Facebook ads for leads, as Zeely sums them up",
    url: "https://zeely.ai/blog/facebook-ads-benchmarks-in-2026",
    period: null,
    published: 2026,
    platform: "meta",
    channel: "leads",
    industry: null,
    currency: "USD",
    sample: "not said",
    figures: [
      { metric: "ctr", value: 0.025 },
      { metric: "cpc", value: 1.92 },
      { metric: "cvr", value: 0.0825 },
      { metric: "cpa", value: 23.1 },
    ],
  },
  {
    id: "wordstream_meta_traffic_2026",
    source: "WordStream's benchmarks of Facebook ads for traffic, as Zeely sums them up",
    url: "https://zeely.ai/blog/facebook-ads-benchmarks-in-2026",
    period: null,
    published: 2026,
    platform: "meta",
    channel: "traffic",
    industry: null,
    currency: "USD",
    sample: "not said",
    figures: [
      { metric: "ctr", value: 0.0151 },
      { metric: "cpc", value: 0.83 },
    ],
  },
  {
    id: "wordstream_meta_2017",
    source: "WordStream, Facebook benchmarks of 18 industries",
    url: "https://medium.com/marketing-and-entrepreneurship/heres-how-to-tell-if-your-company-s-ad-is-beating-competitors-on-facebook-ecc536d4160b",
    period: null,
    published: 2017,
    platform: "meta",
    channel: null,
    industry: null,
    currency: "USD",
    sample: "256 accounts in the United States, which spent 553,000 dollars",
    figures: [{ metric: "ctr", value: 0.009 }],
  },
  {
    id: "zenabm_linkedin_2026",
    source: "ZenABM, LinkedIn benchmarks 2026: ads of a single image",
    url: "https://www.stackmatix.com/blog/linkedin-ads-benchmarks",
    period: null,
    published: 2026,
    platform: "linkedin",
    channel: null,
    industry: null,
    currency: "USD",
    sample: "936 ads, of sellers to businesses",
    figures: [
      { metric: "ctr", value: 0.0048, median: 0.0042 },
      { metric: "cpc", value: 16.34, median: 13.23 },
      { metric: "cpm", value: 72.94, median: 59.15 },
    ],
  },
  {
    id: "theb2bhouse_linkedin",
    source: "The B2B House, LinkedIn ad benchmarks: sponsored content",
    url: "https://www.theb2bhouse.com/linkedin-ad-benchmarks/",
    period: null,
    published: 2022,
    platform: "linkedin",
    channel: null,
    industry: null,
    currency: "USD",
    sample: "not said",
    figures: [{ metric: "ctr", value: null, low: 0.0044, high: 0.0065 }],
  },
  {
    id: "prooflytics_tiktok_2026",
    source: "Prooflytics, CTR benchmarks by platform 2026",
    url: "https://tag.prooflytics.io/blog/ctr-benchmarks-by-platform-2026",
    period: null,
    published: 2026,
    platform: "tiktok",
    channel: null,
    industry: null,
    currency: "USD",
    sample: "not said",
    figures: [{ metric: "ctr", value: null, low: 0.006, high: 0.009 }],
  },
];
