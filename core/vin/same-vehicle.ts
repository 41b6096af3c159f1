import { ELEMENT } from "./maker-file.ts";

/** What a source says that a vehicle is. */
export interface Identity {
  make: string | null;
  model: string | null;
  year: number | null;
  /** By vPIC's number; series and trim belong to the name of a model for some sources. */
  text(element: number): string | null;
}

const plain = (name: string | null) =>
  (name ?? "")
    .normalize("NFKD")
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, "");

/** One of the names may go on: `Mercedes` and `Mercedes-Benz`. Names are compared by letters and digits only. */
export function isSameMake(one: string, other: string): boolean {
  const [a, b] = [plain(one), plain(other)];
  return a !== "" && b !== "" && (a.startsWith(b) || b.startsWith(a));
}

/** Whether the names of two models may be of one vehicle, for a source may put series or trim into its name. */
export function isSameModel(one: Identity, other: Identity): boolean {
  const [a, b] = [plain(one.model), plain(other.model)];
  return (
    namesOf(one).some((name) => overlaps(name, b)) ||
    namesOf(other).some((name) => overlaps(name, a))
  );
}

const overlaps = (one: string, other: string) =>
  one !== "" && other !== "" && (one.startsWith(other) || other.startsWith(one));

function namesOf(one: Identity): string[] {
  const model = plain(one.model);
  const more = [one.text(ELEMENT.series), one.text(ELEMENT.trim)].map(plain);
  return [
    model,
    ...more.flatMap((name) => (name === "" ? [] : [name, model + name, name + model])),
  ];
}

/** What two sources say otherwise of a vehicle; what one of them leaves open is no difference. */
export function differenceOf(one: Identity, other: Identity): "make" | "year" | "model" | null {
  if (one.make !== null && other.make !== null && !isSameMake(one.make, other.make)) return "make";
  if (one.year !== null && other.year !== null && one.year !== other.year) return "year";
  if (one.model !== null && other.model !== null && !isSameModel(one, other)) return "model";
  return null;
}
