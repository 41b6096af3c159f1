import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Lints one file with this text in it, at a place in the tree, and returns what the linter says. */
async function lintAt(folder: string, text: string): Promise<string> {
  const file = path.join(ROOT, folder, `planted-${crypto.randomUUID()}.ts`);
  await writeFile(file, text);
  try {
    return await new Promise((resolve) => {
      execFile(path.join(ROOT, "node_modules/.bin/oxlint"), [file], { cwd: ROOT }, (_, stdout) =>
        resolve(stdout),
      );
    });
  } finally {
    await rm(file);
  }
}

describe("imports go one way: workers → platform → core → schema", () => {
  it.each([
    ["schema", "#core/kernel/ids.ts"],
    ["schema", "hono"],
    ["core/kernel", "#platform/cache.ts"],
    ["core/kernel", "../../platform/cache.ts"],
    ["core/kernel", "hono"],
    ["core/kernel", "grammy"],
    ["core/kernel", "cloudflare:workers"],
    ["core/kernel", "node:fs"],
    ["platform", "../workers/api/app.ts"],
    ["platform", "hono"],
    ["workers/api", "../bot/index.ts"],
    ["workers/bot", "../api/app.ts"],
    ["workers/cron", "../api/app.ts"],
    ["workers/api", "#dev/migrate.ts"],
  ])("a file in %s that imports %s is refused", async (folder, imported) => {
    expect(
      await lintAt(folder, `import * as planted from "${imported}";\nexport { planted };\n`),
    ).toContain("no-restricted-imports");
  });

  it.each([
    ["core/kernel", "#schema"],
    ["platform", "#core/kernel/ids.ts"],
    ["workers/api", "#platform/cache.ts"],
  ])("a file in %s may import %s", async (folder, imported) => {
    expect(
      await lintAt(folder, `import * as planted from "${imported}";\nexport { planted };\n`),
    ).not.toContain("no-restricted-imports");
  });
});
