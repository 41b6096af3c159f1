import { Hono } from "hono";
import { expect, it } from "vitest";
import { createLogger } from "#core/kernel/log.ts";
import type { PageRequest } from "#core/kernel/page.ts";
import { csvResponse, wantsCsv } from "./csv-response.ts";

const PAGES = 5;

/** An app that answers a list of five pages of two rows as CSV. */
function appWith(options: { failOnPage?: number; rowLimit?: number } = {}) {
  const read: PageRequest[] = [];
  const lines: string[] = [];
  const app = new Hono();
  app.onError((_error, c) => c.text("failed", 500));
  const log = createLogger("info", (_level, line) => void lines.push(line));
  app.get("/", (c) => {
    return csvResponse(
      log,
      {
        name: "test",
        columns: ["n"],
        row: (n: number) => [n],
        pageSize: 2,
        rowLimit: options.rowLimit ?? 100,
        async read(page) {
          read.push(page);
          const number = Number(page.cursor ?? 0);
          if (number === options.failOnPage) throw new Error("the database is gone");
          return {
            items: [number * 2, number * 2 + 1],
            nextCursor: number + 1 < PAGES ? String(number + 1) : null,
          };
        },
      },
      c.req.query("cursor"),
    );
  });
  return { app, read, lines };
}

it("sends every page, from the cursor on, under one header", async () => {
  const { app } = appWith();
  expect(await (await app.request("/")).text()).toBe(
    `n\r\n${[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].join("\r\n")}\r\n`,
  );
  expect(await (await app.request("/?cursor=4")).text()).toBe("n\r\n8\r\n9\r\n");
});

it("breaks the connection when a later page fails, so that a part is not taken for the whole", async () => {
  const { app, lines } = appWith({ failOnPage: 3 });
  const response = await app.request("/");
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
  expect(lines.join()).toContain("csv_broken_off");
});

it("answers with an error when the first page fails", async () => {
  const { app } = appWith({ failOnPage: 0 });
  expect((await app.request("/")).status).toBe(500);
});

it("breaks off a file that would be longer than allowed", async () => {
  const { app } = appWith({ rowLimit: 4 });
  await expect((await app.request("/")).text()).rejects.toThrow("more than 4 rows");
});

it("reads no further than the client does", async () => {
  const { app, read } = appWith();
  const reader = (await app.request("/")).body?.getReader();
  await reader?.read();
  await reader?.cancel();
  expect(read.length).toBeLessThan(PAGES);
});

it.each([
  ["text/csv", undefined, true],
  ["text/csv;q=0.9, application/json;q=0.1", undefined, true],
  ["application/json, text/csvx", undefined, false],
  ["*/*", undefined, false],
  ["text/csv", "json", false],
  ["application/json", "csv", true],
] as const)("decides between JSON and CSV: Accept %s, format %s", (accept, format, csv) => {
  expect(wantsCsv(accept, format)).toBe(csv);
});
