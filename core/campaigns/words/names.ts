import type { MetricName } from "../metrics/metric-values.ts";
import type { Language } from "./figures.ts";

const PLATFORMS: Readonly<Record<string, Record<Language, string>>> = {
  google_ads: { en: "Google Ads", fa: "گوگل ادز" },
  meta: { en: "Meta", fa: "متا" },
  tiktok: { en: "TikTok", fa: "تیک‌تاک" },
  linkedin: { en: "LinkedIn", fa: "لینکدین" },
  microsoft_ads: { en: "Microsoft Ads", fa: "مایکروسافت ادز" },
  other: { en: "other platforms", fa: "سکوهای دیگر" },
};

/** A platform as people call it. */
export function platformName(platform: string, language: Language): string {
  return PLATFORMS[platform]?.[language] ?? platform.replaceAll("_", " ");
}

const METRIC_NAMES: Readonly<Record<MetricName, Record<Language, string>>> = {
  impressions: { en: "impressions", fa: "نمایش" },
  clicks: { en: "clicks", fa: "کلیک" },
  spend: { en: "spend", fa: "هزینه" },
  conversions: { en: "conversions", fa: "تبدیل" },
  revenue: { en: "revenue", fa: "درآمد" },
  ctr: { en: "CTR", fa: "نرخ کلیک (CTR)" },
  cpc: { en: "CPC", fa: "هزینهٔ هر کلیک (CPC)" },
  cpm: { en: "CPM", fa: "هزینهٔ هزار نمایش (CPM)" },
  cvr: { en: "conversion rate", fa: "نرخ تبدیل (CVR)" },
  cpa: { en: "CPA", fa: "هزینهٔ هر تبدیل (CPA)" },
  roas: { en: "ROAS", fa: "بازده هزینهٔ تبلیغ (ROAS)" },
};

export function metricName(name: MetricName, language: Language): string {
  return METRIC_NAMES[name][language];
}

/** The first letter large, where the language has such. */
export function atBeginning(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
