/** What a file does with the database, as its text tells. */
export interface Writes {
  /** Statements that change rows, in short. */
  statements: string[];
  /** Whether it calls `audit(…)` of core/audit. */
  audits: boolean;
}

const DECLARATION =
  /^(?:export )?(?:default )?(?:async )?(?:abstract )?(?:function\*?|const|let|class) (\w+)/;

/**
 * What each declaration at the top of a file writes: one that writes in silence is not excused by another one beside it
 * that audits. The formatter sees to it that declarations begin their line.
 */
export function functionsOf(source: string): (Writes & { name: string })[] {
  const pieces: string[] = [];
  let piece = "";
  for (const line of withoutComments(source).split("\n")) {
    if (DECLARATION.test(line)) {
      pieces.push(piece);
      piece = "";
    }
    piece += `${line}\n`;
  }
  pieces.push(piece);
  const [imports = "", ...declarations] = pieces;
  return declarations.map((text) => ({
    name: DECLARATION.exec(text)?.[1] ?? "",
    ...writesOf(imports + text),
  }));
}

/** Whether drizzle's builder is told to write, whatever the connection and the table are called. */
const BUILDER = /\.\s*(insert|update|delete)\s*\(\s*([A-Za-z_$][\w$.]*)/g;
/** Raw SQL that writes. */
const RAW =
  /\b(INSERT\s+INTO|UPDATE\s+[\w"$`{]+(?:\s+\w+)?\s+SET|DELETE\s+FROM|TRUNCATE|MERGE\s+INTO)\b/g;
/** Things with a method of such a name that are no connection: maps, caches, builders of digests. */
const DATABASE = /(^|[^\w$.])((?:[\w$]+\.)*(?:db|transaction|tx|query|database))$/;

/** Finds what a source file writes to Postgres. Comments are not looked at. */
export function writesOf(source: string): Writes {
  const code = withoutComments(source);
  const tables = importedFrom(code, /#schema(\/[\w-]+\.ts)?/);
  const statements: string[] = [];
  for (const match of code.matchAll(BUILDER)) {
    const [, verb = "", table = ""] = match;
    const receiver = code.slice(0, match.index).trimEnd();
    if (tables.has(table) || DATABASE.test(receiver)) statements.push(`${verb} ${table}`);
  }
  // Durable Objects have a SQLite of their own, which they ask by `sql.exec`.
  const drizzle = /from "drizzle-orm/.test(code);
  if (drizzle) {
    for (const match of code.matchAll(RAW)) {
      if (!/\bexec(<[^>]*>)?\(\s*[`"']?[^;]*$/.test(code.slice(0, match.index)))
        statements.push(match[0]);
    }
  }
  const imported = importedFrom(code, /(\.{1,2}|#core)\/(audit\/)?audit\.ts/).has("audit");
  return { statements, audits: imported && /[^\w.]audit\(/.test(code) };
}

function importedFrom(code: string, module: RegExp): Set<string> {
  const names = new Set<string>();
  for (const [, list = "", from = ""] of code.matchAll(
    /import\s+(?:type\s+)?\{([^}]*)\}\s+from\s+"([^"]+)"/g,
  )) {
    if (!new RegExp(`^(.*/)?${module.source}$`).test(from)) continue;
    for (const part of list.split(",")) {
      const name = part
        .trim()
        .split(/\s+as\s+/)
        .at(-1)
        ?.replace(/^type\s+/, "");
      if (name) names.add(name);
    }
  }
  return names;
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "$1");
}
