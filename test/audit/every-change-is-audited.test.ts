import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { AUDITED_BY_CALLER, UNAUDITED } from "./unaudited.ts";
import { functionsOf, writesOf } from "./writes.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

async function sources(): Promise<string[]> {
  const folders = await Promise.all(
    ["core", "platform", "workers"].map(async (folder) =>
      (await readdir(`${ROOT}${folder}`, { recursive: true })).map((file) => `${folder}/${file}`),
    ),
  );
  return folders.flat().filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
}

/** Declarations that write and do not audit themselves. */
const silentIn = (source: string) =>
  functionsOf(source).filter(({ statements, audits }) => statements.length > 0 && !audits);

describe("every function that changes something in Postgres", () => {
  it("writes it into the audit log, or says in unaudited.ts why not", async () => {
    const silent: string[] = [];
    let auditing = 0;
    for (const file of await sources()) {
      const source = await readFile(ROOT + file, "utf8");
      const { statements, audits } = writesOf(source);
      if (statements.length > 0 && audits) auditing += 1;
      if (file in UNAUDITED) continue;
      for (const { name, statements: writes } of silentIn(source))
        if (!(`${file}: ${name}` in AUDITED_BY_CALLER))
          silent.push(`${file}: ${name}: ${writes.join(", ")}`);
    }
    expect(silent, "Call audit() of core/audit in the change's own transaction").toEqual([]);
    expect(auditing).toBeGreaterThan(15);
  });

  it("is not excused without need", async () => {
    const files = new Set(await sources());
    for (const [file, reason] of Object.entries(UNAUDITED)) {
      expect(files, `${file} is gone`).toContain(file);
      expect(reason.length).toBeGreaterThan(5);
      const { statements, audits } = writesOf(await readFile(ROOT + file, "utf8"));
      expect([file, statements.length > 0 && !audits]).toEqual([file, true]);
    }
    for (const [place, caller] of Object.entries(AUDITED_BY_CALLER)) {
      const [file = "", name] = place.split(": ");
      const source = await readFile(ROOT + file, "utf8");
      expect(silentIn(source).map((one) => one.name)).toContain(name);
      expect(functionsOf(source).find((one) => one.name === caller)?.audits).toBe(true);
    }
  });
});

describe("the check", () => {
  const planted = (body: string, more = "") =>
    writesOf(
      `import { eq } from "drizzle-orm";\nimport { teams, models as m } from "#schema";\n${more}\n${body}`,
    );

  it.each([
    ["await inner.db.insert(teams).values(row);", ["insert teams"]],
    ["await context.db\n    .update(teams)\n    .set({});", ["update teams"]],
    ["await ctx.db.delete(m).where(x);", ["delete m"]],
    ["const { db } = context; await db.delete(deletion.table);", ["delete deletion.table"]],
    ["const changed = db.$with('x').as(tx.update(anything));", ["update anything"]],
    ["await db.execute(sql`DELETE FROM teams`);", ["DELETE FROM"]],
    ["await db.execute(sql`UPDATE teams SET name = 'x'`);", ["UPDATE teams SET"]],
    ["await db.execute(sql`WITH a AS (INSERT INTO teams VALUES (1)) SELECT 1`);", ["INSERT INTO"]],
  ])("finds %s", (body, statements) => {
    expect(planted(body)).toEqual({ statements, audits: false });
  });

  it.each([
    "names.delete(name); cache.delete('x'); digest.update(bytes);",
    "await db.select().from(teams).for('update');",
    "// await db.delete(teams);\n/* db.insert(teams) */",
  ])("lets %s pass", (body) => {
    expect(planted(body).statements).toEqual([]);
  });

  it("does not excuse a function that is silent by another one beside it that is not", () => {
    const head = `import { audit } from "../audit/audit.ts";\nimport { teams } from "#schema";\n`;
    const loud =
      "export async function a() {\n  await db.insert(teams);\n  await audit(x, {});\n}\n";
    const quiet = "async function b() {\n  await db.delete(teams);\n}\n";
    expect(silentIn(head + loud).map(({ name }) => name)).toEqual([]);
    expect(silentIn(head + loud + quiet).map(({ name }) => name)).toEqual(["b"]);
  });

  it("takes only a call of our own audit for one", () => {
    const write = "await db.delete(teams);";
    const own = 'import { audit } from "../audit/audit.ts";';
    expect(planted(`${write} await audit(inner, {});`, own).audits).toBe(true);
    expect(planted(write, own).audits).toBe(false);
    expect(planted(`${write} log.audit();`, own).audits).toBe(false);
    expect(planted(`${write} await audit(inner, {});`).audits).toBe(false);
    expect(planted(`${write} // audit(inner)`, own).audits).toBe(false);
  });
});
