import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Stack, startStack } from "#test/harness/stack.ts";

interface Schema {
  $ref?: string;
  [key: string]: unknown;
}
interface Operation {
  operationId: string;
  summary?: string;
  tags: string[];
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema; example?: unknown }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>;
}
interface Document {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  components: { securitySchemes: Record<string, Schema>; schemas: Record<string, Schema> };
  paths: Record<string, Record<string, Operation>>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

let stack: Stack;
let document: Document;

beforeAll(async () => {
  stack = await startStack({
    postgres: inject("postgres"),
    workers: ["api"],
    vars: { PUBLIC_URL: "https://switchyard.example.com/" },
  });
  document = await stack.client(null).expect<Document>(200, "GET", "/openapi.json");
});
afterAll(() => stack?.stop());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      route: `${method.toUpperCase()} ${path}`,
      path,
      operation,
    })),
  );

describe("GET /openapi.json", () => {
  test("is OpenAPI 3.1 with its address and both ways to send a key", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(document.info).toMatchObject({ title: "Switchyard", version: "0.1.0" });
    expect(document.servers[0]?.url).toBe("https://switchyard.example.com");
    expect(Object.values(document.components.securitySchemes)).toMatchObject([
      { type: "http", scheme: "bearer" },
      { type: "apiKey", in: "header", name: "x-api-key" },
    ]);
  });

  test("names each operation once, sums it up, and puts it under a tag that is described", () => {
    const described = document.tags.filter((tag) => tag.description !== "").map((tag) => tag.name);
    for (const { route, operation } of operations()) {
      expect([route, operation.summary]).toEqual([route, expect.stringMatching(/\S/)]);
      for (const tag of operation.tags)
        expect([route, described]).toEqual([route, expect.arrayContaining([tag])]);
      expect([route, operation.tags.length]).toEqual([route, 1]);
    }
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("declares each parameter of each path, and a problem for each guarded route", () => {
    for (const { route, path, operation } of operations()) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared =
        operation.parameters?.filter((p) => p.in === "path").map((p) => p.name) ?? [];
      expect([route, declared.toSorted()]).toEqual([route, named.toSorted()]);
      if (operation.security)
        expect([route, Object.keys(operation.responses)]).toEqual([
          route,
          expect.arrayContaining(["default"]),
        ]);
    }
  });

  test("refers to nothing that it does not hold", () => {
    const references = JSON.stringify(document).matchAll(
      /"\$ref":"#\/components\/schemas\/([^"]+)"/g,
    );
    for (const [, name = ""] of references)
      expect(document.components.schemas).toHaveProperty(name);
  });

  test("says of each creating POST that it takes Idempotency-Key", () => {
    const creating = operations().filter(
      ({ route, operation }) => route.startsWith("POST") && "201" in operation.responses,
    );
    expect(creating.length).toBeGreaterThanOrEqual(3);
    for (const { route, operation } of creating)
      expect([route, operation.parameters?.some((p) => p.name === "idempotency-key")]).toEqual([
        route,
        true,
      ]);
  });

  test("is the same document as docs/openapi.json but for the address", async () => {
    const written: Document = JSON.parse(await readFile(`${ROOT}docs/openapi.json`, "utf8"));
    expect({ ...document, servers: [] }).toEqual({ ...written, servers: [] });
  });

  test("may be read from any origin", async () => {
    const response = await stack.client(null).request("GET", "/openapi.json");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("content-type")).toContain("application/json");
    await response.body?.cancel();
  });
});

describe("the check for drift", () => {
  const script = async (...parameters: string[]) =>
    promisify(execFile)(process.execPath, ["scripts/openapi.mjs", ...parameters], { cwd: ROOT });

  test("passes on what is checked in", async () => {
    await expect(script("--check")).resolves.toBeDefined();
  });
});

describe("GET /docs", () => {
  test("shows the document in a page whose files are all here", async () => {
    const client = stack.client(null);
    const redirect = await client.request("GET", "/docs");
    expect(redirect.status).toBe(308);
    expect(redirect.headers.get("location")).toBe("/docs/");
    const page = await client.request("GET", "/docs/");
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.headers.get("x-request-id")).toMatch(/^req_/);
    const html = await page.text();
    expect(html).not.toMatch(/https?:\/\//);
    expect(html).not.toMatch(/<script>/);
    const files = [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map((match) => match[1]);
    expect(files.length).toBeGreaterThanOrEqual(4);
    for (const file of files) {
      const response = await client.request("GET", `/docs/${file}`);
      expect([file, response.status]).toEqual([file, 200]);
      const text = await response.text();
      if (file === "start.js") expect(text).toContain('"/openapi.json"');
    }
  });

  test("has nothing else", async () => {
    for (const path of [
      "/docs/nothing.js",
      "/docs/../wrangler.toml",
      "/docs/%2e%2e/%2e%2e/package.json",
    ]) {
      const response = await stack.client(null).request("GET", path);
      expect([path, response.status]).toEqual([path, 404]);
      await response.body?.cancel();
    }
  });
});
