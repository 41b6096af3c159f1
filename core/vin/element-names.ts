/** How the attributes of an answer are called, by vPIC's number. */
const NAMES: Readonly<Record<number, string>> = {
  2: "Battery type",
  5: "Body class",
  9: "Engine cylinders",
  11: "Engine displacement (cc)",
  12: "Engine displacement (cubic inches)",
  13: "Engine displacement (litres)",
  14: "Doors",
  15: "Drive type",
  17: "Engine stroke cycles",
  18: "Engine model",
  21: "Engine power (kW)",
  24: "Fuel, primary",
  25: "Gross vehicle weight rating",
  26: "Make",
  28: "Model",
  31: "Plant city",
  34: "Series",
  38: "Trim",
  42: "Brake system",
  62: "Valve train",
  64: "Engine configuration",
  66: "Fuel, secondary",
  67: "Fuel injection",
  71: "Engine power from (hp)",
  75: "Plant country",
  77: "Plant state",
  121: "Restraint system",
  122: "Engine cooling",
  125: "Engine power to (hp)",
  126: "Electrification",
  127: "Charger level",
  129: "Other engine information",
  135: "Turbo",
  146: "Engine manufacturer",
  190: "Gross vehicle weight rating to",
};

/** The name of an element; null for one that newer data has and nobody has named. */
export function elementName(element: number): string | null {
  return NAMES[element] ?? null;
}
