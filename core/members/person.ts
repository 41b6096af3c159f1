/** A person as an OIDC issuer or Telegram vouches for them, whatever teams they are in. */
export interface Person {
  /** The issuer's `iss`, or TELEGRAM_ISSUER. */
  issuer: string;
  /** The person's own name there: the token's `sub`, or the Telegram user's id. */
  subject: string;
  /** In lower case, and only where the issuer says that it is verified. */
  email: string | null;
  name: string | null;
}

/** Stands for Telegram among the issuers of identities. No OIDC issuer can be configured under it. */
export const TELEGRAM_ISSUER = "https://telegram.org";
