import { expect, it } from "vitest";
import { problemRow, VIN_COLUMNS } from "./vin-columns.ts";

it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "＠SUM(A1)"])(
  "writes nothing that a spreadsheet would run: %j",
  (text) => {
    expect(problemRow(text)[VIN_COLUMNS.indexOf("vin_problem")]).toBe(`'${text}`);
  },
);
