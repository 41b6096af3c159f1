import type { VinWarning } from "../../vin/vin-report.ts";
import type { WrongVin } from "../../vin/inspect-vin.ts";
import type { Language } from "../skill.ts";

/** Every word of the views of VINs. */
export interface VinWords {
  maker: string;
  country: string;
  kind: string;
  body: string;
  engine: string;
  drive: string;
  fuel: string;
  plant: string;
  weight: string;
  confidence: string;
  sources: string;
  high: string;
  medium: string;
  low: string;
  cylinders(count: string): string;
  vehicle: string;
  unknown: string;
  notAVin: string;
  didYouMean: string;
  /** What is doubtful, in a few words. */
  warnings: Record<VinWarning["code"], string>;
  /** Why a text is no VIN. */
  faults: Record<WrongVin["faults"][number]["code"], (length: string) => string>;
  offline: string;
}

export const VIN_WORDS: Readonly<Record<Language, VinWords>> = {
  en: {
    maker: "Maker",
    country: "Country",
    kind: "Kind",
    body: "Body",
    engine: "Engine",
    drive: "Drive",
    fuel: "Fuel",
    plant: "Plant",
    weight: "Weight class",
    confidence: "Confidence",
    sources: "Source",
    high: "high",
    medium: "medium",
    low: "low",
    cylinders: (count) => `${count} cylinders`,
    vehicle: "Vehicle",
    unknown: "unknown",
    notAVin: "This is no VIN.",
    didYouMean: "Did you mean",
    warnings: {
      check_digit:
        "The check digit does not fit: many makers outside North America use none, or a character is wrong.",
      unknown_maker: "Nothing is known of this maker's vehicles.",
      make_unknown: "The maker has several makes.",
      model_unknown: "The model is not known.",
      other_model: "Another model fits nearly as well.",
      year_ambiguous: "The year may be another one.",
      year_unknown: "The year is not known.",
      not_confirmed:
        "Not made for North America: only the maker, the country and the plant are known.",
      contradiction: "The sources contradict each other.",
      single_source: "Only one source says so.",
      ambiguous: "Several vehicles have VINs like this one.",
      service_unavailable: "A service could not be asked; it may know more later.",
    },
    faults: {
      length: (length) => `A VIN has 17 characters, and this has ${length}.`,
      characters: () => "A VIN has digits and capital letters only, and no I, O or Q.",
      check_digit: () =>
        "The check digit does not fit: a character is wrong, or two are exchanged.",
    },
    offline: "own data",
  },
  de: {
    maker: "Hersteller",
    country: "Land",
    kind: "Art",
    body: "Aufbau",
    engine: "Motor",
    drive: "Antrieb",
    fuel: "Kraftstoff",
    plant: "Werk",
    weight: "Gewichtsklasse",
    confidence: "Sicherheit",
    sources: "Quelle",
    high: "hoch",
    medium: "mittel",
    low: "gering",
    cylinders: (count) => `${count} Zylinder`,
    vehicle: "Fahrzeug",
    unknown: "unbekannt",
    notAVin: "Das ist keine Fahrgestellnummer.",
    didYouMean: "Gemeint war vielleicht",
    warnings: {
      check_digit:
        "Die Prüfziffer passt nicht: Außerhalb Nordamerikas haben viele Hersteller keine, oder ein Zeichen ist falsch.",
      unknown_maker: "Über Fahrzeuge dieses Herstellers ist nichts bekannt.",
      make_unknown: "Der Hersteller hat mehrere Marken.",
      model_unknown: "Das Modell ist nicht bekannt.",
      other_model: "Ein anderes Modell passt fast ebenso gut.",
      year_ambiguous: "Es kann auch ein anderes Jahr sein.",
      year_unknown: "Das Jahr ist nicht bekannt.",
      not_confirmed: "Nicht für Nordamerika gebaut: Bekannt sind nur Hersteller, Land und Werk.",
      contradiction: "Die Quellen widersprechen einander.",
      single_source: "Das sagt nur eine Quelle.",
      ambiguous: "Mehrere Fahrzeuge haben solche Nummern.",
      service_unavailable: "Ein Dienst war nicht erreichbar; er weiß vielleicht später mehr.",
    },
    faults: {
      length: (length) => `Eine Fahrgestellnummer hat 17 Zeichen, diese hat ${length}.`,
      characters: () =>
        "Eine Fahrgestellnummer hat nur Ziffern und Großbuchstaben, und kein I, O oder Q.",
      check_digit: () =>
        "Die Prüfziffer passt nicht: Ein Zeichen ist falsch, oder zwei sind vertauscht.",
    },
    offline: "eigene Daten",
  },
  fa: {
    maker: "سازنده",
    country: "کشور",
    kind: "نوع",
    body: "بدنه",
    engine: "موتور",
    drive: "محور محرک",
    fuel: "سوخت",
    plant: "کارخانه",
    weight: "ردهٔ وزنی",
    confidence: "اطمینان",
    sources: "منبع",
    high: "بالا",
    medium: "متوسط",
    low: "کم",
    cylinders: (count) => `${count} سیلندر`,
    vehicle: "خودرو",
    unknown: "نامعلوم",
    notAVin: "این شمارهٔ شناسایی خودرو نیست.",
    didYouMean: "شاید منظورتان این است",
    warnings: {
      check_digit:
        "رقم کنترل نمی‌خواند: بسیاری از سازندگان بیرون از آمریکای شمالی آن را ندارند، یا نویسه‌ای اشتباه است.",
      unknown_maker: "از خودروهای این سازنده چیزی نمی‌دانیم.",
      make_unknown: "این سازنده چند نشان دارد.",
      model_unknown: "مدل معلوم نیست.",
      other_model: "مدل دیگری هم تقریباً به همین خوبی می‌خواند.",
      year_ambiguous: "سال می‌تواند سال دیگری باشد.",
      year_unknown: "سال معلوم نیست.",
      not_confirmed: "برای آمریکای شمالی ساخته نشده است: فقط سازنده، کشور و کارخانه معلوم است.",
      contradiction: "منبع‌ها با هم نمی‌خوانند.",
      single_source: "فقط یک منبع چنین می‌گوید.",
      ambiguous: "چند خودرو شماره‌ای مانند این دارند.",
      service_unavailable: "یکی از سرویس‌ها در دسترس نبود؛ شاید بعداً بیشتر بداند.",
    },
    faults: {
      length: (length) => `شمارهٔ شناسایی ۱۷ نویسه دارد و این ${length} نویسه.`,
      characters: () => "شمارهٔ شناسایی فقط رقم و حرف بزرگ لاتین دارد، بدون I و O و Q.",
      check_digit: () => "رقم کنترل نمی‌خواند: نویسه‌ای اشتباه است یا دو نویسه جابه‌جا شده‌اند.",
    },
    offline: "داده‌های خودمان",
  },
};

const SOURCE_NAMES = { nhtsa: "NHTSA vPIC", autodev: "auto.dev" };

/** How a source is called. */
export function sourceName(words: VinWords, source: "offline" | "nhtsa" | "autodev"): string {
  return source === "offline" ? words.offline : SOURCE_NAMES[source];
}

/**
 * Latin text within right-to-left text, kept together by invisible marks (FSI and PDI), so that its punctuation stays
 * on its side.
 */
export const isolated = (text: string, language: Language) =>
  language === "fa" ? `\u2068${text}\u2069` : text;
