import { VIN_CHARACTERS } from "./vin.ts";

export type Region = "Africa" | "Asia" | "Europe" | "North America" | "Oceania" | "South America";

/** Order in which ISO 3780 counts the second character: letters, then digits with 0 as the last. */
const SECOND = "ABCDEFGHJKLMNPRSTUVWXYZ1234567890";

/**
 * Whose maker codes begin how: first character, then first and last second character. After SAE's list of assigned
 * codes (ISO 3780), without those that sources disagree about.
 */
const COUNTRIES: Readonly<Record<string, string>> = {
  "A A-H": "South Africa",
  "B F-K": "Kenya",
  "C L-R": "Tunisia",
  "D A-E": "Egypt",
  "D F-K": "Morocco",
  "J A-0": "Japan",
  "K F-K": "Israel",
  "K L-R": "South Korea",
  "L A-0": "China",
  "M A-E": "India",
  "M F-K": "Indonesia",
  "M L-R": "Thailand",
  "M Y-0": "India",
  "N A-E": "Iran",
  "N F-K": "Pakistan",
  "N L-R": "Turkey",
  "P A-E": "Philippines",
  "P F-K": "Singapore",
  "P L-R": "Malaysia",
  "R A-E": "United Arab Emirates",
  "R F-K": "Taiwan",
  "R L-N": "Vietnam",
  "S A-M": "United Kingdom",
  "S N-T": "Germany",
  "S U-Z": "Poland",
  "S 1-4": "Latvia",
  "T A-H": "Switzerland",
  "T J-P": "Czech Republic",
  "T R-V": "Hungary",
  "T W-1": "Portugal",
  "U H-M": "Denmark",
  "U N-R": "Ireland",
  "U U-X": "Romania",
  "U 5-7": "Slovakia",
  "V A-E": "Austria",
  "V F-R": "France",
  "V S-W": "Spain",
  "V 3-5": "Croatia",
  "V 6-8": "Estonia",
  "W A-0": "Germany",
  "X A-C": "Bulgaria",
  "X F-H": "Greece",
  "X L-R": "Netherlands",
  "X S-W": "Russia",
  "X X-Z": "Luxembourg",
  "X 3-0": "Russia",
  "Y A-E": "Belgium",
  "Y F-K": "Finland",
  "Y S-W": "Sweden",
  "Y X-2": "Norway",
  "Y 3-5": "Belarus",
  "Y 6-8": "Ukraine",
  "Z A-U": "Italy",
  "Z X-Z": "Slovenia",
  "Z 3-5": "Lithuania",
  "1 A-0": "United States",
  "2 A-0": "Canada",
  "3 A-W": "Mexico",
  "4 A-0": "United States",
  "5 A-0": "United States",
  "6 A-W": "Australia",
  "7 A-E": "New Zealand",
  "7 F-0": "United States",
  "8 A-E": "Argentina",
  "8 F-G": "Chile",
  "8 X-Z": "Venezuela",
  "9 A-E": "Brazil",
  "9 F-G": "Colombia",
  "9 3-9": "Brazil",
};

/** First and second characters to the country. */
const COUNTRY_OF = new Map(
  Object.entries(COUNTRIES).flatMap(([range, country]) => {
    const [first = "", span = ""] = range.split(" ");
    const from = SECOND.indexOf(span.charAt(0));
    const to = SECOND.indexOf(span.charAt(2));
    return SECOND.slice(from, to + 1)
      .split("")
      .map((second) => [first + second, country] as const);
  }),
);

/** The country that gave the maker its code; null where that is not sure. */
export function countryOf(vin: string): string | null {
  return COUNTRY_OF.get(vin.slice(0, 2)) ?? null;
}

const REGIONS: [string, Region][] = [
  ["ABCDEFGH", "Africa"],
  ["JKLMNPR", "Asia"],
  ["STUVWXYZ", "Europe"],
  ["12345", "North America"],
  ["67", "Oceania"],
  ["89", "South America"],
];

/** The part of the world that the first character stands for; of 7, the part from 7F on went to the United States. */
export function regionOf(vin: string): Region | null {
  if (countryOf(vin) === "United States") return "North America";
  const first = vin.charAt(0);
  if (first === "" || !VIN_CHARACTERS.includes(first)) return null;
  return REGIONS.find(([characters]) => characters.includes(first))?.[1] ?? null;
}

/** Whether the check digit is required: in maker codes of the United States, Canada and Mexico. */
export function needsCheckDigit(vin: string): boolean {
  return regionOf(vin) === "North America";
}
