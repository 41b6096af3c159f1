import { type InvitationPreview, previewInvitation } from "#core/invitations/preview-invitation.ts";
import { openDatabase } from "#platform/database.ts";
import { tooManyAttempts } from "../failed-attempts.ts";
import { countedAs } from "../middleware/authenticate.ts";
import { createRouter } from "../openapi.ts";
import { publicOrigin } from "../public-origin.ts";

/** Nothing is loaded, nothing runs, and nobody learns of the address: it holds the secret. */
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  "x-robots-tag": "noindex, nofollow",
};

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color:#1c1c1c;background:#fff}code,pre{background:#f2f2f2;padding:.1rem .3rem;border-radius:4px;overflow-wrap:anywhere}pre{padding:.8rem;white-space:pre-wrap}h1{font-size:1.4rem}@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}code,pre{background:#262626}}";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

const page = (title: string, body: string) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style></head><body><h1>${title}</h1>${body}</body></html>`;

const unknown = () =>
  page(
    "There is no such invitation",
    "<p>Check that the link was copied whole, or ask for a new one.</p>",
  );

const ENDED = {
  used: "It has been used.",
  expired: "It is over its time.",
  revoked: "It was revoked.",
};

const ended = (state: keyof typeof ENDED) =>
  page(
    "This invitation cannot be used any more",
    `<p>${ENDED[state]} Ask the team for a new one. If it was you who used it, you are in: sign in as before.</p>`,
  );

/** What it is, and how it is accepted. */
function open(preview: InvitationPreview, token: string, origin: string): string {
  const { teamName, role, expiresAt, personal } = preview;
  const request = `curl -X POST ${origin}/v1/invitations/accept \\\n  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\\n  -d '{"token":"${token}"}'`;
  const chat = personal
    ? ""
    : `<h2>In Telegram</h2><p>Send this to the bot, in a private chat with it:</p><pre>/start ${token}</pre>`;
  const only = personal ? " It is for one e-mail address, which your account must have." : "";
  return page(
    `Join ${escaped(teamName)}`,
    `<p>You are invited to the team <strong>${escaped(teamName)}</strong> as <strong>${role}</strong>, until ${expiresAt.toISOString().slice(0, 16).replace("T", " ")} UTC.${only} Opening this page has changed nothing yet.</p><h2>With your account</h2><p>Sign in with your organisation's account in the app that you use, and paste this link there. By hand, with an access token of that account:</p><pre>${escaped(request)}</pre>${chat}`,
  );
}

/** `GET /join/inv_…`: the link of an invitation, opened in a browser. */
export const joinPageRoutes = createRouter();

joinPageRoutes.get("/join/:token", async (c) => {
  const { failedAttempts, settings } = c.get("deps");
  const address = countedAs(c);
  if (failedAttempts.isFlooding(address, Date.now())) throw tooManyAttempts();
  const token = c.req.param("token");
  const db = openDatabase(settings);
  const preview = await previewInvitation({ db, now: () => new Date() }, token);
  if (!preview) {
    await failedAttempts.count(address, Date.now());
    return c.body(unknown(), 404, HEADERS);
  }
  if (preview.state !== "open") return c.body(ended(preview.state), 410, HEADERS);
  return c.body(open(preview, token, publicOrigin(c)), 200, HEADERS);
});
