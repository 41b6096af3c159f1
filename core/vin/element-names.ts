/** What vPIC has no element for, and other services tell. */
export const OWN_ELEMENT = { engine: 100_001, style: 100_002 } as const;

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
  37: "Transmission",
  38: "Trim",
  42: "Brake system",
  55: "Air bags, curtain",
  56: "Air bags, seat cushion",
  62: "Valve train",
  63: "Transmission speeds",
  64: "Engine configuration",
  65: "Air bags, front",
  66: "Fuel, secondary",
  67: "Fuel injection",
  69: "Air bags, knee",
  71: "Engine power from (hp)",
  75: "Plant country",
  77: "Plant state",
  78: "Belt pretensioners",
  79: "Seat belts",
  107: "Air bags, side",
  121: "Restraint system",
  122: "Engine cooling",
  125: "Engine power to (hp)",
  126: "Electrification",
  127: "Charger level",
  129: "Other engine information",
  135: "Turbo",
  146: "Engine manufacturer",
  190: "Gross vehicle weight rating to",
  [OWN_ELEMENT.engine]: "Engine",
  [OWN_ELEMENT.style]: "Style",
};

/** The name of an element; null for one that newer data has and nobody has named. */
export function elementName(element: number): string | null {
  return NAMES[element] ?? null;
}
