import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** All that a build reads of the repository. */
const SOURCES = ["core", "platform", "schema", "workers", "scripts", "package.json"];
const CONFIGURATION = ["tsconfig.base.json", "tsconfig.json", "wrangler.toml"];

/** A skill that a test adds. */
export interface AddedSkill {
  /** Below core/skills/: `text/count-words.ts`. */
  file: string;
  /** What the file exports. */
  name: string;
  code: string;
}

/**
 * Builds Workers of a copy of the repository that has further skills: each a file of its own and its place in the list,
 * and nothing else touched.
 * @returns the folder of the bundles, for `startStack`
 */
export async function buildWithSkills(
  workers: string[],
  skills: readonly AddedSkill[],
): Promise<{ bundles: string; remove(): Promise<void> }> {
  const copy = await mkdtemp(path.join(tmpdir(), "switchyard-skills-"));
  for (const name of [...SOURCES, ...CONFIGURATION])
    await cp(path.join(ROOT, name), path.join(copy, name), { recursive: true });
  await symlink(path.join(ROOT, "node_modules"), path.join(copy, "node_modules"));
  for (const { file, code } of skills) {
    const target = path.join(copy, "core/skills", file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, code);
  }
  const list = path.join(copy, "core/skills/skills.ts");
  await writeFile(list, withSkills(await readFile(list, "utf8"), skills));
  const build = path.join(copy, "scripts/build.mjs");
  await promisify(execFile)(process.execPath, [build, ...workers], { cwd: copy });
  return {
    bundles: path.join(copy, "dist"),
    remove: () => rm(copy, { recursive: true, force: true }),
  };
}

/** The list with one more import and one more entry for each skill. */
function withSkills(list: string, skills: readonly AddedSkill[]): string {
  const imports = skills.map(({ file, name }) => `import { ${name} } from "./${file}";\n`).join("");
  const names = skills.map(({ name }) => `${name}, `).join("");
  const place = "export const SKILLS: readonly Skill[] = [";
  if (!list.includes(place)) throw new Error("skills.ts is written otherwise than this expects");
  return imports + list.replace(place, place + names);
}

/** The skill that core/skills/README.md shows, as it stands there. */
export async function skillOfReadme(): Promise<AddedSkill> {
  const text = await readFile(path.join(ROOT, "core/skills/README.md"), "utf8");
  const [, file = "", code = ""] = /```ts\n\/\/ core\/skills\/(\S+)\n(.+?)```/s.exec(text) ?? [];
  const name = /export const (\w+)/.exec(code)?.[1] ?? "";
  return { file, name, code };
}

/** A skill of test/skills/extra/, which is there to be used in every wrong way. */
export async function extraSkill(file: string): Promise<AddedSkill> {
  const code = await readFile(path.join(ROOT, "test/skills/extra", file), "utf8");
  const name = /export const (\w+)/.exec(code)?.[1] ?? "";
  return { file: `extra/${file}`, name, code: code.replaceAll('"#core/skills/', '"../') };
}
