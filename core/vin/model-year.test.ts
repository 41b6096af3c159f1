import { describe, expect, it } from "vitest";
import { yearByPosition7, yearsOf } from "./model-year.ts";

const now = new Date("2026-11-21");
/** A VIN with these characters in positions 7 and 10. */
const vin = (seventh: string, tenth: string) => `1HGCM8${seventh}63${tenth}A004352`;

describe("the model year", () => {
  it.each([
    ["A", [1980, 2010]],
    ["3", [2003]],
    ["K", [1989, 2019]],
    ["V", [1997, 2027]],
    ["W", [1998]],
    ["9", [2009]],
    ["U", []],
    ["Z", []],
    ["0", []],
  ])("of %s in position 10 is one of %j, and none after next year's", (tenth, years) => {
    expect(yearsOf(vin("2", tenth), now)).toEqual(years);
  });

  it("comes again after thirty years", () => {
    expect(yearsOf(vin("2", "3"), new Date("2033-01-01"))).toEqual([2003, 2033]);
  });

  it.each([
    ["9", "Passenger Car", { year: 1989, binding: true }],
    ["D", "Multipurpose Passenger Vehicle (MPV)", { year: 2019, binding: true }],
    ["9", "Bus", { year: 1989, binding: false }],
    ["D", "Truck", { year: 2019, binding: false }],
    ["D", null, { year: 2019, binding: false }],
  ])("with %s in position 7 of a %s is %j", (seventh, type, rule) => {
    expect(yearByPosition7(vin(seventh, "K"), [1989, 2019], type)).toEqual(rule);
  });

  it("is none where position 7 contradicts what is possible", () => {
    expect(yearByPosition7(vin("D", "3"), [2003], "Passenger Car").year).toBeNull();
  });
});
