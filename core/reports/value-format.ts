import type { ReportLanguage, Value, ValueKind } from "./report.ts";

/** Shown where there is no value. */
export const NO_VALUE = "–";

/** Persian with its own digits and the solar calendar, as its readers expect. */
const LOCALES: Record<ReportLanguage, { numbers: string; dates: string }> = {
  en: { numbers: "en-US", dates: "en-GB-u-ca-gregory" },
  fa: { numbers: "fa-IR-u-nu-arabext", dates: "fa-IR-u-ca-persian-nu-arabext" },
};
/** Above it, cents say nothing. */
const NO_CENTS_FROM = 1_000;
const SMALL_RATIO = 0.1;

/** Writes values as readers of a language expect them. Made once a report, since each formatter costs some 30 µs. */
export class ValueFormat {
  readonly language: ReportLanguage;
  readonly #numbers = new Map<string, Intl.NumberFormat>();
  readonly #dates = new Map<string, Intl.DateTimeFormat>();

  constructor(language: ReportLanguage) {
    this.language = language;
  }

  /** As in a table or a card. */
  value(value: Value, kind: ValueKind, currency: string | null): string {
    if (value === null) return kind === "text" ? "" : NO_VALUE;
    if (typeof value === "string") return kind === "date" ? this.day(value) : value;
    if (!Number.isFinite(value)) return NO_VALUE;
    switch (kind) {
      case "money":
        return this.#money(value, currency);
      case "ratio":
        return this.#percent(value);
      case "multiple":
        return this.#multiple(value);
      case "decimal":
        return this.#decimal(value);
      default:
        return this.count(value);
    }
  }

  /** As on an axis, where there is little room: 1.2M. */
  short(value: number, kind: ValueKind): string {
    if (kind === "ratio") return this.#percent(value);
    if (kind === "multiple") return this.#multiple(value);
    const maximumFractionDigits = Math.abs(value) < 10 ? 2 : 1;
    const options = { notation: "compact", maximumFractionDigits } as const;
    return this.#number(`short${maximumFractionDigits}`, options).format(value);
  }

  /** 1,234 */
  count(value: number): string {
    return this.#number("count", { maximumFractionDigits: 0 }).format(value);
  }

  /** +12.3%, with its sign; null where there is nothing to say. */
  change(change: number | null): string | null {
    if (change === null || !Number.isFinite(change)) return null;
    const fraction = Math.abs(change) < 1 ? 1 : 0;
    return this.#number(`change${fraction}`, {
      style: "percent",
      signDisplay: "exceptZero",
      maximumFractionDigits: fraction,
    }).format(change);
  }

  /** 1 Oct 2026, of `2026-10-01`. */
  day(day: string): string {
    const time = Date.parse(`${day}T00:00:00Z`);
    if (Number.isNaN(time)) return day;
    const month = this.language === "fa" ? "long" : "short";
    return this.#date("day", { day: "numeric", month, year: "numeric" }).format(time);
  }

  /** 1 Oct, where the year is known. */
  dayOfYear(day: string): string {
    const time = Date.parse(`${day}T00:00:00Z`);
    if (Number.isNaN(time)) return day;
    const month = this.language === "fa" ? "long" : "short";
    return this.#date("dayOfYear", { day: "numeric", month }).format(time);
  }

  /** A moment, by the clock of a time zone. */
  moment(time: string, timeZone: string): string {
    const date = new Intl.DateTimeFormat(LOCALES[this.language].dates, {
      dateStyle: "long",
      timeStyle: "short",
      timeZone,
    }).format(Date.parse(time));
    return `${date} (${timeZone})`;
  }

  #money(value: number, currency: string | null): string {
    const digits = Math.abs(value) >= NO_CENTS_FROM ? 0 : 2;
    // `XXX` is what rows have whose currency nobody said.
    if (currency === null || currency === "XXX")
      return this.#number(`plain${digits}`, {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }).format(value);
    return this.#number(`${currency}${digits}`, {
      style: "currency",
      currency,
      currencyDisplay: "narrowSymbol",
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(value);
  }

  #percent(value: number): string {
    const fraction = Math.abs(value) < SMALL_RATIO ? 2 : 1;
    return this.#number(`percent${fraction}`, {
      style: "percent",
      minimumFractionDigits: fraction,
      maximumFractionDigits: fraction,
    }).format(value);
  }

  #multiple(value: number): string {
    const options = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
    const times = this.#number("multiple", options).format(value);
    return this.language === "fa" ? `${times} برابر` : `${times}×`;
  }

  #decimal(value: number): string {
    const fraction = Math.abs(value) >= NO_CENTS_FROM ? 0 : 2;
    return this.#number(`decimal${fraction}`, { maximumFractionDigits: fraction }).format(value);
  }

  #number(name: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
    return kept(this.#numbers, name, () => {
      const locale = LOCALES[this.language].numbers;
      try {
        // What rounds to zero has no minus before it.
        return new Intl.NumberFormat(locale, { signDisplay: "negative", ...options });
      } catch {
        // A code that is no currency's shape: a plain number is right, if less.
        return new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
      }
    });
  }

  #date(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    return kept(
      this.#dates,
      name,
      () => new Intl.DateTimeFormat(LOCALES[this.language].dates, { ...options, timeZone: "UTC" }),
    );
  }
}

function kept<T>(map: Map<string, T>, name: string, make: () => T): T {
  const known = map.get(name);
  if (known !== undefined) return known;
  const made = make();
  map.set(name, made);
  return made;
}
