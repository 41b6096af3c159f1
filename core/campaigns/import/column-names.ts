import type { Field } from "./field.ts";

/**
 * What exports call their columns, as `plainName` writes it, the most telling name first: where a file has several columns
 * for one field, the one that comes first here is taken. From the exports of Google Ads, Meta, TikTok and LinkedIn, their
 * APIs, and sheets that people keep, in English and where a platform translates them in German, French, Spanish and
 * Persian.
 */
const NAMES: Record<Field, readonly string[]> = {
  day: [
    "day",
    "date",
    "by day",
    "stat time day",
    "date day",
    "segments date",
    "reporting date",
    "report date",
    "date start",
    "start date in utc",
    "start date",
    "reporting starts",
    "time",
    "time period",
    "week",
    "week start",
    "week starting",
    "date week",
    "month",
    "timestamp",
    "ds",
    "tag",
    "datum",
    "berichtsstart",
    "jour",
    "debut des rapports",
    "dia",
    "fecha",
    "inicio del informe",
    "data",
    "giorno",
    "تاریخ",
    "روز",
  ],
  last_day: [
    "reporting ends",
    "date stop",
    "end date",
    "end date in utc",
    "week ending",
    "berichtsende",
  ],
  platform: [
    "platform",
    "ad platform",
    "source",
    "data source",
    "publisher",
    "network name",
    "پلتفرم",
  ],
  campaign: [
    "campaign name",
    "campaign",
    "base campaign name",
    "kampagnenname",
    "kampagne",
    "nom de la campagne",
    "campagne",
    "nombre de la campana",
    "campana",
    "کمپین",
    "نام کمپین",
    "عنوان کمپین",
    "کمپین تبلیغاتی",
  ],
  campaign_id: [
    "campaign id",
    "base campaign",
    "kampagnen id",
    "id de la campagne",
    "id de la campana",
    "شناسه کمپین",
  ],
  channel: [
    "campaign type",
    "advertising channel type",
    "channel type",
    "objective",
    "campaign objective",
    "kampagnentyp",
    "نوع کمپین",
    "کانال",
  ],
  currency: [
    "currency code",
    "currency",
    "account currency",
    "wahrung",
    "wahrungscode",
    "devise",
    "moneda",
    "ارز",
    "واحد پول",
  ],
  ad_group: [
    "ad group name",
    "ad group",
    "adgroup name",
    "adgroup",
    "ad set name",
    "ad set",
    "adset name",
    "anzeigengruppe",
    "anzeigengruppenname",
    "groupe d annonces",
    "grupo de anuncios",
    "گروه تبلیغاتی",
    "نام گروه تبلیغاتی",
    "گروه آگهی",
    "گروه تبلیغ",
  ],
  ad: [
    "ad name",
    "ad",
    "creative name",
    "creative",
    "headline",
    "anzeigenname",
    "anzeige",
    "annonce",
    "anuncio",
    "آگهی",
    "نام آگهی",
    "تبلیغ",
    "نام تبلیغ",
  ],
  impressions: [
    "impressions",
    "impr",
    "impression",
    "imps",
    "views",
    "impressionen",
    "impresiones",
    "نمایش",
    "تعداد نمایش",
    "نمایش ها",
    "ایمپرشن",
  ],
  clicks: [
    "clicks",
    "link clicks",
    "clicks destination",
    "clicks all",
    "click",
    "outbound clicks",
    "klicks",
    "clics",
    "clicks en el enlace",
    "کلیک",
    "تعداد کلیک",
    "کلیک ها",
  ],
  spend: [
    "cost",
    "spend",
    "amount spent",
    "total spent",
    "total spend",
    "total cost",
    "ad spend",
    "media spend",
    "media cost",
    "budget spent",
    "costs",
    "kosten",
    "ausgaben",
    "ausgegebener betrag",
    "cout",
    "montant depense",
    "coste",
    "importe gastado",
    "هزینه",
    "هزینه کل",
    "هزینه تبلیغات",
  ],
  spend_micros: ["cost micros", "spend micros", "metrics cost micros", "cost in micros"],
  conversions: [
    "conversions",
    "conv",
    "total conversions",
    "results",
    "result",
    "purchases",
    "website purchases",
    "leads",
    "orders",
    "complete payment",
    "all conv",
    "conversionen",
    "ergebnisse",
    "resultats",
    "resultados",
    "conversiones",
    "تبدیل",
    "تعداد تبدیل",
    "تبدیل ها",
  ],
  revenue: [
    "conv value",
    "conversion value",
    "conversions value",
    "total conversion value",
    "total conv value",
    "purchases conversion value",
    "purchase conversion value",
    "website purchases conversion value",
    "complete payment value",
    "revenue",
    "sales",
    "purchase value",
    "value",
    "conv wert",
    "umsatz",
    "chiffre d affaires",
    "ingresos",
    "all conv value",
    "درآمد",
    "ارزش تبدیل",
    "فروش",
  ],
};

/** What a column of this name is to us; null where nobody would say. A lower rank tells more. */
export function fieldOfName(name: string): { field: Field; rank: number } | null {
  return FIELD_OF.get(plainName(name)) ?? null;
}

const UNIT = /[([{][^)\]}]*[)\]}]/g;
const MARKS = /\p{M}/gu;
const BREAKS = /[^\p{L}\p{N}]+/gu;
const CAMEL = /(\p{Ll})(\p{Lu})/gu;

/**
 * A name without what differs between equal ones: case, accents, underscores, dots, units in brackets. `Amount spent (EUR)`
 * becomes `amount spent`, `metrics.costMicros` becomes `metrics cost micros`.
 */
export function plainName(name: string): string {
  const plain = (text: string) =>
    persianLetters(text.normalize("NFKD").replace(MARKS, ""))
      .replace(BREAKS, " ")
      .trim()
      .toLowerCase();
  const spread = name.replace(CAMEL, "$1 $2");
  const words = plain(spread.replace(UNIT, " ")) || plain(spread);
  // The names of an API's fields begin with what they are fields of.
  return words.replace(/^(?:metrics|segments) (?!date)/, "");
}

/** Arabic keyboards have letters of their own for two of Persian's. */
export const persianLetters = (text: string): string =>
  text.replaceAll("ي", "ی").replaceAll("ك", "ک");

const FIELD_OF = new Map<string, { field: Field; rank: number }>(
  Object.entries(NAMES).flatMap(
    ([field, names]) =>
      names.map((name, rank) => [plainName(name), { field: field as Field, rank }] as const), // Object.entries forgets the keys' type
  ),
);

const IN_BRACKETS = /[([{]\s*([A-Za-z]{3})\s*[)\]}]/;

/** The currency that a column's name says: `Cost (EUR)`, `Spend, $`. */
export function currencyOfName(name: string): string | null {
  const code = IN_BRACKETS.exec(name)?.[1]?.toUpperCase();
  if (code !== undefined && isCurrency(code)) return code;
  return currencyOfSign(name);
}

const SIGNS: readonly (readonly [string, string])[] = [
  ["US$", "USD"],
  ["C$", "CAD"],
  ["CA$", "CAD"],
  ["A$", "AUD"],
  ["R$", "BRL"],
  ["$", "USD"],
  ["€", "EUR"],
  ["£", "GBP"],
  ["¥", "JPY"],
  ["₹", "INR"],
  ["₽", "RUB"],
  ["₺", "TRY"],
  ["₩", "KRW"],
  ["₪", "ILS"],
  ["zł", "PLN"],
  ["﷼", "IRR"],
  ["ریال", "IRR"],
];

/** The currency whose sign stands somewhere in a text. A bare `$` is taken for the US dollar. */
export function currencyOfSign(text: string): string | null {
  return SIGNS.find(([sign]) => text.includes(sign))?.[1] ?? null;
}

const CODES = new Set(
  "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG XXX".split(
    " ",
  ),
);

/** Whether this is a code of ISO 4217 in capitals; `XXX` is no currency. */
export const isCurrency = (code: string): boolean => CODES.has(code);
