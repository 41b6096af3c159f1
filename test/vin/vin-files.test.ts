import ExcelJS from "exceljs";
import { writeXlsx } from "hucre";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { newId } from "#core/kernel/ids.ts";
import { decodeVinFileProgram } from "#core/vin/files/decode-vin-file.ts";
import type { VinFileInput, VinFileResult } from "#core/vin/files/decode-vin-file-type.ts";
import { VIN_COLUMNS } from "#core/vin/files/vin-columns.ts";
import { readVinRows } from "#core/vin/read-vin-rows.ts";
import { checkDigitOf } from "#core/vin/vin.ts";
import { JobWorld } from "#test/jobs/job-world.ts";
import { type CsvManner, writeCsv } from "#test/tables/write-csv.ts";
import { readTable } from "#test/tables/read-table.ts";
import { readMakerFile } from "./known-vins.ts";

const HONDA = "1HGCM82633A004352";
const MISTYPED = "1HGMC82633A004352";
const SKODA = "TMBEG7NE5F0000001";

let world: JobWorld;
let teamId: string;
/** VINs that were asked for, in order. */
let asked: string[] = [];

beforeAll(async () => {
  world = await JobWorld.open(inject("postgres"), [decodeVinFileProgram]);
  teamId = await world.team();
  const nothing = () => Promise.resolve(null);
  world.vins = {
    readRows: (vins) => {
      asked.push(...vins);
      return readVinRows(
        {
          makerFile: readMakerFile,
          kept: { get: nothing, set: () => Promise.resolve() },
          order: ["offline"],
          ask: () => Promise.reject(new Error("No service is on")),
          background: () => undefined,
        },
        vins,
        new Date("2026-11-21"),
      );
    },
  };
});
afterAll(() => world.database.drop());
beforeEach(async () => {
  await world.clear();
  world.files.contents.clear();
  asked = [];
});

async function upload(name: string, bytes: Uint8Array): Promise<string> {
  const id = newId("upload");
  await world.sql(
    `INSERT INTO uploads (id, team_id, name, content_type, size, state, created_by, expires_at)
     VALUES ($1, $2, $3, 'application/octet-stream', $4, 'complete', 'key:key_test', now() + interval '1 day')`,
    [id, teamId, name, bytes.length],
  );
  world.files.contents.set(`${teamId}/uploads/${id}`, bytes);
  return id;
}

const create = async (uploadId: string, more: Partial<VinFileInput> = {}) => {
  const input = { vin_column: null, sheet: null, ...more, upload_id: uploadId };
  const id = await world.create(teamId, decodeVinFileProgram.type, input);
  await world.dispatch();
  return id;
};
const fileOf = (jobId: string, { file }: VinFileResult) => {
  const keys = [...world.files.contents.keys()];
  const key = keys.find((one) => one.includes(jobId) && one.endsWith(`/${file}`));
  const bytes = world.files.contents.get(key ?? "");
  if (!bytes) throw new Error(`No ${file} among ${keys.join(", ")}`);
  return bytes;
};

/** Reads a file to its end, and gives the result and what is in the file. */
async function decode(name: string, bytes: Uint8Array, more: Partial<VinFileInput> = {}) {
  const jobId = await create(await upload(name, bytes), more);
  await world.deliver();
  const job = await world.job(teamId, jobId);
  if (job.state !== "succeeded") throw new Error(`${job.state}: ${job.errorMessage}`);
  const result = job.result as VinFileResult; // as the program gave it
  return { jobId, result, bytes: fileOf(jobId, result) };
}

const manner = (over: Partial<CsvManner> = {}): CsvManner => ({
  delimiter: ",",
  lineEnd: "\n",
  encoding: "utf-8",
  quoteAll: false,
  lastLineEnd: true,
  ...over,
});
const value = (row: unknown[] | undefined, from: number, name: (typeof VIN_COLUMNS)[number]) =>
  row?.[from + VIN_COLUMNS.indexOf(name)];

describe("a CSV file", () => {
  const rows = [
    ["Owner", "Chassis no.", "Note"],
    ["Ana", HONDA, "a, b"],
    ["Béla", "1hgcm 82633-a004352", 'said "hi"'],
    ["Cid", MISTYPED, ""],
    ["Dörte", SKODA, "two\nlines"],
    ["Eve", "", ""],
    ["Fay", "none yet", ""],
  ];

  it.each([
    manner(),
    manner({ delimiter: ";", lineEnd: "\r\n", encoding: "windows-1252" }),
    manner({ delimiter: "\t", encoding: "utf-16le", lineEnd: "\r\n" }),
    manner({ encoding: "utf-16be" }),
    manner({ encoding: "utf-8-mark", delimiter: ";" }),
    manner({ delimiter: "|", lineEnd: "\r" }),
  ])("comes back with columns added, in the manner it came: %j", async (how) => {
    const own =
      how.lineEnd === "\r" ? rows.map((row) => row.map((cell) => cell.replace("\n", " "))) : rows;
    const { result, bytes } = await decode("my cars.csv", writeCsv(own, how));
    expect(result).toMatchObject({
      rows: 6,
      vins: 3,
      wrong: 2,
      empty: 1,
      file: "my cars-decoded.csv",
    });
    const read = await readTable(bytes);
    expect(read.rows.map((row) => row.slice(0, 3))).toEqual(own);
    expect(read.rows[0]?.slice(3)).toEqual([...VIN_COLUMNS]);
    expect(new Set(read.rows.map((row) => row.length))).toEqual(new Set([3 + VIN_COLUMNS.length]));
    const [, honda, spaced, mistyped, skoda, empty, none] = read.rows;
    expect(value(honda, 3, "vin_model")).toBe("Accord");
    expect(value(honda, 3, "vin_year")).toBe("2003");
    expect(spaced?.slice(3)).toEqual(honda?.slice(3));
    expect(value(mistyped, 3, "vin_problem")).toContain("check digit");
    expect(value(mistyped, 3, "vin_suggestion")).toBe(HONDA);
    expect(value(skoda, 3, "vin_make")).toBe("Škoda");
    expect(value(empty, 3, "vin_problem")).toBe("There is no VIN in this row.");
    expect(value(none, 3, "vin_valid")).toBe("no");
    const mark = { "utf-8-mark": "efbbbf", "utf-16le": "fffe", "utf-16be": "feff" } as Record<
      string,
      string
    >;
    const begin = Buffer.from(bytes).toString("hex");
    expect(begin.startsWith(mark[how.encoding] ?? "4f776e6572")).toBe(true);
    if (how.lineEnd === "\r\n")
      expect(Buffer.from(bytes).includes(how.encoding === "utf-16le" ? "\r\0\n\0" : "\r\n")).toBe(
        true,
      );
  });

  it("needs no header, and reads each VIN once however often it stands there", async () => {
    const lines = Array.from({ length: 3_000 }, (_, index) => (index % 2 ? HONDA : SKODA));
    const { result, bytes } = await decode("list.csv", Buffer.from(lines.join("\n")));
    expect(result).toMatchObject({ rows: 3_000, vins: 3_000, wrong: 0, empty: 0 });
    expect(asked.toSorted()).toEqual([HONDA, SKODA].toSorted());
    const { rows: read } = await readTable(bytes);
    expect(read).toHaveLength(3_000);
    expect(value(read[1], 1, "vin_make")).toBe("Honda");
  });

  it("takes the column that it is told, by name or number", async () => {
    const twice = [
      ["VIN", "old VIN"],
      [HONDA, SKODA],
    ];
    for (const [column, make] of [
      ["old vin", "Škoda"],
      ["2", "Škoda"],
      ["1", "Honda"],
    ] as const) {
      const { bytes } = await decode("two.csv", writeCsv(twice, manner()), { vin_column: column });
      expect(value((await readTable(bytes)).rows[1], 2, "vin_make")).toBe(make);
    }
  });

  it("without VINs, or without the column that was named, fails with a sentence", async () => {
    for (const [bytes, more] of [
      [Buffer.from("a,b\n1,2\n"), {}],
      [writeCsv(rows, manner()), { vin_column: "Number plate" }],
      [Buffer.from(""), {}],
      [Buffer.from("%PDF-1.7"), {}],
    ] as const) {
      const id = await create(await upload("x.csv", bytes), more);
      await world.deliver();
      const job = await world.job(teamId, id);
      expect(job).toMatchObject({ state: "failed", attempt: 1 });
      expect(job.errorMessage?.length).toBeGreaterThan(20);
    }
  });

  it("keeps the lines that are no rows, with the reason", async () => {
    const { bytes } = await decode(
      "torn.csv",
      Buffer.from(`VIN,n\n${HONDA},1\n"open,2\n${SKODA},3\n`),
    );
    const { rows: read } = await readTable(bytes);
    expect(read).toHaveLength(4);
    expect(read.filter((row) => String(row.at(-2)).includes("Line 3")).length).toBe(1);
  });
});

describe("a workbook", () => {
  it("comes back as a workbook: cells, days, formulas and formats as they were, and columns added", async () => {
    const book = new ExcelJS.Workbook();
    const cars = book.addWorksheet("Cars & Co");
    cars.addRow(["Fleet of 2026"]);
    cars.addRow(["VIN", "Bought", "Price", "Twice"]);
    cars.addRow([
      HONDA,
      new Date("2026-11-01T00:00:00Z"),
      12_345.5,
      { formula: "C3*2", result: 24_691 },
    ]);
    cars.addRow([MISTYPED, new Date("2026-11-02T00:00:00Z"), 1, { formula: "C4*2", result: 2 }]);
    cars.addRow([]);
    cars.addRow([SKODA, null, 3, null]);
    cars.getRow(2).font = { bold: true };
    cars.getColumn(2).numFmt = "dd.mm.yyyy";
    cars.getCell("H2").fill = { type: "pattern", pattern: "solid", fgColor: { argb: "FFFFFF00" } };
    book.addWorksheet("Notes").addRow(["nothing", "here"]);
    const { result, bytes } = await decode(
      "fleet.xlsx",
      new Uint8Array(await book.xlsx.writeBuffer()),
    );
    expect(result).toMatchObject({
      rows: 3,
      vins: 2,
      wrong: 1,
      empty: 0,
      file: "fleet-decoded.xlsx",
    });

    const back = new ExcelJS.Workbook();
    await back.xlsx.load(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
    );
    const sheet = back.getWorksheet("Cars & Co");
    const cell = (place: string) => sheet?.getCell(place).value;
    expect(cell("A1")).toBe("Fleet of 2026");
    expect(cell("C3")).toBe(12_345.5);
    expect(cell("D3")).toMatchObject({ formula: "C3*2", result: 24_691 });
    expect(cell("B3")).toEqual(new Date("2026-11-01T00:00:00Z"));
    expect(sheet?.getCell("A2").font?.bold).toBe(true);
    const first = 9; // H is the last one that has a format
    const at = (row: number, name: (typeof VIN_COLUMNS)[number]) =>
      sheet?.getRow(row).getCell(first + VIN_COLUMNS.indexOf(name)).value;
    expect(at(2, "vin_make")).toBe("vin_make");
    expect(at(3, "vin_model")).toBe("Accord");
    expect(at(3, "vin_year")).toBe(2003);
    expect(at(4, "vin_suggestion")).toBe(HONDA);
    expect(at(6, "vin_make")).toBe("Škoda");
    expect(at(1, "vin_make")).toBeNull();
    expect(back.getWorksheet("Notes")?.getCell("A1").value).toBe("nothing");
    expect(back.getWorksheet("Notes")?.columnCount).toBe(2);
    expect((await readTable(bytes)).rows[2]?.[0]).toBe(HONDA);
  });

  it("of several sheets gets them in each that has VINs, over many chunks", async () => {
    const sheet = (name: string, vin: string) => ({
      name,
      rows: [["id", "vin"], ...Array.from({ length: 6_000 }, (_, index) => [index, vin])],
    });
    const data = await writeXlsx({ sheets: [sheet("One", HONDA), sheet("Two", SKODA)] });
    const { result, bytes } = await decode("big.xlsx", data);
    expect(result).toMatchObject({ rows: 12_000, vins: 12_000 });
    const read = await readTable(bytes);
    expect(read.rows).toHaveLength(12_002);
    expect(read.rows[5_999]?.slice(0, 2)).toEqual([5_998, HONDA]);
    expect(value(read.rows[5_999], 2, "vin_make")).toBe("Honda");
    expect(value(read.rows[12_001], 2, "vin_make")).toBe("Škoda");
  });
});

describe("a job over a file", () => {
  const many = () => {
    const rows = Array.from({ length: 9_000 }, (_, index) => {
      const rest = `1HGCM8260${"3A"}${String(index % 50).padStart(6, "0")}`;
      return [String(index), rest.slice(0, 8) + checkDigitOf(rest) + rest.slice(9)];
    });
    return writeCsv([["row", "vin"], ...rows], manner());
  };

  it("goes on where it was when it is killed, at every commit and message", async () => {
    const bytes = many();
    const whole = await decode("many.csv", bytes);
    const boundaries = world.process().boundaries;
    expect(boundaries).toEqual([]);
    const probe = world.process();
    const probed = await create(await upload("many.csv", bytes));
    world.messages.length = 0;
    await probe.work(probed);
    const places = probe.boundaries.length;
    expect(places).toBeGreaterThan(6);
    for (let at = 0; at < places; at++)
      for (const when of ["before", "after"] as const) {
        await world.clear();
        const jobId = await create(await upload("many.csv", bytes));
        const dying = world.process({ killsAt: (_, index, side) => index === at && side === when });
        const id = world.messages.shift();
        if (id !== undefined) await dying.work(id).catch(() => undefined);
        await world.passTime();
        await world.process().sweep();
        await world.finish();
        const job = await world.job(teamId, jobId);
        expect(job.state, `${at} ${when}`).toBe("succeeded");
        expect(Buffer.from(fileOf(jobId, job.result as VinFileResult)).equals(whole.bytes)).toBe(
          true,
        );
      }
  }, 300_000);

  it("leaves nothing behind but the upload and the result", async () => {
    const { jobId } = await decode("many.csv", many());
    expect([...world.files.contents.keys()].filter((key) => key.includes("/pieces/"))).toEqual([]);
    expect([...world.files.contents.keys()].filter((key) => key.includes(jobId))).toHaveLength(1);
  });

  it("tries again when the VINs cannot be read right now, and loses no row", async () => {
    const own = world.vins;
    let failures = 2;
    world.vins = {
      readRows: (vins) =>
        failures-- > 0 ? Promise.reject(new Error("The api Worker is away")) : own.readRows(vins),
    };
    try {
      const jobId = await create(await upload("many.csv", many()));
      await world.finish();
      const job = await world.job(teamId, jobId);
      expect(job).toMatchObject({ state: "succeeded", result: { rows: 9_000, vins: 9_000 } });
    } finally {
      world.vins = own;
    }
  });
});
