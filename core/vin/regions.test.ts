import { describe, expect, it } from "vitest";
import { countryOf, needsCheckDigit, regionOf } from "./regions.ts";

describe("where a maker's code was given", () => {
  it.each([
    ["1HG", "United States", "North America"],
    ["2HG", "Canada", "North America"],
    ["3VW", "Mexico", "North America"],
    ["7SA", "United States", "North America"],
    ["7A1", "New Zealand", "Oceania"],
    ["WVW", "Germany", "Europe"],
    ["W0L", "Germany", "Europe"],
    ["VF3", "France", "Europe"],
    ["TMB", "Czech Republic", "Europe"],
    ["XTA", "Russia", "Europe"],
    ["NAA", "Iran", "Asia"],
    ["MAT", "India", "Asia"],
    ["KMH", "South Korea", "Asia"],
    ["JTD", "Japan", "Asia"],
    ["9BW", "Brazil", "South America"],
    ["AAV", "South Africa", "Africa"],
    ["GA1", null, "Africa"],
    ["", null, null],
    ["IOQ", null, null],
  ])("%j is %s, %s", (code, country, region) => {
    expect([countryOf(code), regionOf(code)]).toEqual([country, region]);
  });

  it("tells who must have a check digit", () => {
    expect(["1HG", "2HG", "3VW", "4US", "5YJ", "7SA"].map(needsCheckDigit)).not.toContain(false);
    expect(["7A1", "6T1", "WVW", "JTD", "9BW"].map(needsCheckDigit)).not.toContain(true);
  });
});
