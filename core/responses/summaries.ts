import type { Fields } from "../chat/loose-json.ts";
import type { SecretBox } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";

/** A summary opens for the team that it was made for alone. */
const purposeOf = (teamId: string) => `response-summary:${teamId}`;

/** A summary of a conversation as its client carries it: sealed, as its `encrypted_content`. */
export const sealSummary = (secrets: SecretBox, teamId: string, summary: string) =>
  secrets.seal(summary, purposeOf(teamId));

const isSummary = (item: Fields) => item["type"] === "compaction";

/**
 * Items in which summaries can be read, as words of the model's.
 * @param pathOf where the item stands in the request
 * @throws AppError `invalid_request` for a summary that is not this team's, or was changed
 */
export async function openSummaries(
  secrets: SecretBox,
  teamId: string,
  items: readonly Fields[],
  pathOf: (index: number) => string,
): Promise<readonly Fields[]> {
  if (!items.some(isSummary)) return items;
  return Promise.all(
    items.map(async (item, index) => {
      if (!isSummary(item)) return item;
      const param = `${pathOf(index)}.encrypted_content`;
      const summary = await secrets
        .open(String(item["encrypted_content"]), purposeOf(teamId))
        .catch((cause: unknown) => {
          throw notOurs(param, cause);
        });
      const content = `What was said before, in short:\n\n${summary}`;
      return { type: "message", role: "assistant", content };
    }),
  );
}

const notOurs = (param: string, cause: unknown) =>
  new AppError("invalid_request", {
    message: `${param} was not made by POST /v1/responses/compact for this team, or was changed. Send the conversation itself.`,
    param,
    cause,
  });
