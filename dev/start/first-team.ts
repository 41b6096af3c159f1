import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { writeSecretFile } from "./data-folder.ts";
import { StartError } from "../start-error.ts";

/** What is remembered of the first team. Keys are shown once only, so this file is where the key lives on. */
interface FirstTeam {
  /** Makes a creation that was interrupted safe to repeat. */
  attempt: string;
  teamId?: string;
  key?: string;
}

interface FirstTeamOptions {
  url: string;
  dataDir: string;
  superAdminKey: string;
}

/** The first team's key: the one of an earlier start if it still works, else a new team with a new key. */
export async function firstTeamKey(options: FirstTeamOptions): Promise<string> {
  const file = path.join(options.dataDir, "first-team.json");
  const known = read(file);
  if (known?.key !== undefined && (await isValid(options.url, known.key))) return known.key;
  // A key that stopped working belongs to another database, or was revoked.
  const team: FirstTeam = known?.key === undefined && known ? known : { attempt: randomUUID() };
  const save = (): void => writeSecretFile(file, `${JSON.stringify(team, null, 2)}\n`);
  save();
  team.teamId ??= (
    await create(options, "/v1/teams", `${team.attempt}-team`, { name: "My team" })
  ).id;
  save();
  const body = { name: "npm start", team_id: team.teamId, scopes: ["admin"] };
  team.key = (await create(options, "/v1/keys", `${team.attempt}-key`, body)).key;
  save();
  if (team.key === undefined)
    throw new StartError("The api Worker created a key and did not show it.");
  return team.key;
}

function read(file: string): FirstTeam | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8")) as FirstTeam; // written by this module
  } catch {
    return undefined; // cut off while it was written
  }
}

async function isValid(url: string, key: string): Promise<boolean> {
  const response = await fetch(`${url}/v1/keys/verify`, {
    headers: { authorization: `Bearer ${key}` },
  });
  await response.body?.cancel();
  return response.ok;
}

/** What the api Worker answers; each kind of thing has some of these. */
interface Created {
  id?: string;
  key?: string;
}

async function create(
  { url, superAdminKey }: FirstTeamOptions,
  route: string,
  attempt: string,
  body: object,
): Promise<Created> {
  const response = await fetch(url + route, {
    method: "POST",
    headers: {
      authorization: `Bearer ${superAdminKey}`,
      "content-type": "application/json",
      "idempotency-key": attempt,
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) {
    throw new StartError(
      `The first team could not be made: POST ${route} answered ${response.status} ${await response.text()}`,
    );
  }
  return (await response.json()) as Created; // the contract's shape
}

/** A model that the key may use: the one that is configured first, else the first of the list. */
export async function firstModel(
  url: string,
  key: string,
  settings: ReadonlyMap<string, string>,
): Promise<string> {
  const configured = settings.get("AI_SERVICE_MODEL")?.split(",")[0]?.trim();
  if (settings.has("AI_SERVICE_URL") && configured) return configured;
  const response = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  if (!response.ok) return "builtin";
  const { data } = (await response.json()) as { data: { id: string }[] }; // OpenAI's shape
  return data[0]?.id ?? "builtin";
}
