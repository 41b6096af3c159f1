/**
 * Makers that sell nothing in the United States, so that vPIC has no file for their codes, or names no make. Facts from the public lists
 * of codes (SAE's assignments, as Wikibooks collects them).
 */
const OTHER_MAKERS: Readonly<Record<string, { make: string; manufacturer: string }>> = {
  "6T1": { make: "Toyota", manufacturer: "Toyota Australia" },
  "93Y": { make: "Renault", manufacturer: "Renault do Brasil" },
  LFV: { make: "Volkswagen", manufacturer: "FAW-Volkswagen" },
  LGW: { make: "Great Wall", manufacturer: "Great Wall Motor" },
  LSV: { make: "Volkswagen", manufacturer: "SAIC Volkswagen" },
  LVV: { make: "Chery", manufacturer: "Chery Automobile" },
  MA1: { make: "Mahindra", manufacturer: "Mahindra & Mahindra" },
  MA3: { make: "Suzuki", manufacturer: "Maruti Suzuki India" },
  MAL: { make: "Hyundai", manufacturer: "Hyundai Motor India" },
  MAT: { make: "Tata", manufacturer: "Tata Motors" },
  MR0: { make: "Toyota", manufacturer: "Toyota Motor Thailand" },
  NAA: { make: "Iran Khodro", manufacturer: "Iran Khodro" },
  NAS: { make: "SAIPA", manufacturer: "SAIPA" },
  NLH: { make: "Hyundai", manufacturer: "Hyundai Assan" },
  NM4: { make: "Fiat", manufacturer: "Tofaş" },
  PL1: { make: "Proton", manufacturer: "Proton" },
  PM2: { make: "Perodua", manufacturer: "Perodua" },
  TMA: { make: "Hyundai", manufacturer: "Hyundai Motor Manufacturing Czech" },
  TMB: { make: "Škoda", manufacturer: "Škoda Auto" },
  TSM: { make: "Suzuki", manufacturer: "Magyar Suzuki" },
  U5Y: { make: "Kia", manufacturer: "Kia Slovakia" },
  UU1: { make: "Dacia", manufacturer: "Automobile Dacia" },
  VF1: { make: "Renault", manufacturer: "Renault" },
  VF7: { make: "Citroën", manufacturer: "Citroën" },
  VR1: { make: "DS", manufacturer: "DS Automobiles" },
  VR3: { make: "Peugeot", manufacturer: "Peugeot" },
  VR7: { make: "Citroën", manufacturer: "Citroën" },
  VSS: { make: "SEAT", manufacturer: "SEAT" },
  X4X: { make: "BMW", manufacturer: "Avtotor" },
  X7L: { make: "Renault", manufacturer: "Renault Russia" },
  XTA: { make: "Lada", manufacturer: "AvtoVAZ" },
  XTT: { make: "UAZ", manufacturer: "Ulyanovsk Automobile Plant" },
  XW8: { make: "Volkswagen", manufacturer: "Volkswagen Group Rus" },
  Z94: { make: "Hyundai", manufacturer: "Hyundai Motor Manufacturing Rus" },
};

/** A maker by its code alone; null where the list has none. */
export function findOtherMaker(vin: string): { make: string; manufacturer: string } | null {
  return OTHER_MAKERS[vin.slice(0, 3)] ?? null;
}
