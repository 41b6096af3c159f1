import { AppError } from "../../kernel/errors.ts";
import { resultUrl } from "../job.ts";

/** A result of a job that whoever has the link may read until then. */
export interface LinkedResult {
  teamId: string;
  jobId: string;
  name: string;
  /** Seconds since 1970. */
  expires: number;
}

/** Signs texts under a key of its own that is made from MASTER_KEY. */
export interface LinkSigner {
  /** In base64url. */
  sign(text: string): Promise<string>;
  /** In constant time. */
  verify(text: string, signature: string): Promise<boolean>;
}

/** The longest time that a link works, and the time when nothing was said, in seconds. */
export const LONGEST_LINK_SECONDS = 7 * 24 * 60 * 60;
export const USUAL_LINK_SECONDS = 60 * 60;

/** What a signature is over. JSON keeps the parts apart, whatever is in them. */
function signedText({ teamId, jobId, name, expires }: LinkedResult): string {
  return JSON.stringify(["job result", teamId, jobId, name, expires]);
}

/** A link to a result that needs no key, relative to the service. */
export async function signResultLink(signer: LinkSigner, result: LinkedResult): Promise<string> {
  const query = new URLSearchParams({
    team: result.teamId,
    expires: String(result.expires),
    signature: await signer.sign(signedText(result)),
  });
  return `${resultUrl(result.jobId, result.name)}?${query.toString()}`;
}

/** A link as it came. */
export interface PresentedLink {
  jobId: string;
  name: string;
  team: string | undefined;
  expires: string | undefined;
  signature: string;
}

/**
 * Checks a link that was signed here. Nothing but the link itself is looked at, so that made-up ones cost no query.
 * @throws AppError `forbidden` when it was changed, cut, made up, or when its time is over
 */
export async function openResultLink(
  signer: LinkSigner,
  link: PresentedLink,
  now: Date,
): Promise<LinkedResult> {
  const { jobId, name, team: teamId = "", expires: expiresText = "", signature } = link;
  const expires = /^[1-9]\d{0,11}$/.test(expiresText) ? Number(expiresText) : 0;
  const result = { teamId, jobId, name, expires };
  if (!(await signer.verify(signedText(result), signature))) {
    throw new AppError("forbidden", {
      message: "This link is not one of ours. Copy it whole, or ask for a new one.",
    });
  }
  if (expires * 1000 <= now.getTime()) {
    throw new AppError("forbidden", {
      message: "This link has expired. Ask whoever sent it for a new one.",
    });
  }
  return result;
}
