import { decodeProtectedHeader } from "jose/decode/protected_header";
import { JOSEError, JWTClaimValidationFailed, JWTExpired } from "jose/errors";
import { decodeJwt } from "jose/jwt/decode";
import { jwtVerify } from "jose/jwt/verify";
import { sha256Hex } from "../kernel/digest.ts";
import type { AppError } from "../kernel/errors.ts";
import type { Permission } from "../kernel/permissions.ts";
import { isPlainText } from "../kernel/text.ts";
import {
  type Claims,
  clientOf,
  endUserOf,
  nameOf,
  permissionsOf,
  teamsOf,
  verifiedEmailOf,
} from "./claims.ts";
import type { IssuerRule } from "./oidc-issuer.ts";
import { expiredToken, invalidToken } from "./token-faults.ts";
import { refuseOtherKinds } from "./token-kind.ts";

/** What a good token says, by its issuer's rule. Plain values: it is remembered. */
export interface VerifiedToken {
  issuer: string;
  subject: string;
  /** Verified by the issuer, in lower case. */
  email: string | null;
  /** As the issuer gives it. */
  name: string | null;
  /** Teams that the issuer's rule gives, the first one first; null where memberships say it. */
  teams: string[] | null;
  /** What the token allows; null where the member's role alone says it. */
  permissions: Permission[] | null;
  models: string[];
  endUser: string | null;
  /** Milliseconds since 1970, with the tolerance. */
  expiresAt: number;
  /** Names the person under the rule, for caches: a digest. */
  person: string;
  /** Teams in which the rule looks for a membership. */
  membership: { teams: string[] | null; byEmail: boolean } | null;
}

/** Gives an issuer's key. @throws AppError `invalid_token`, `unavailable` */
export type FindKey = (issuer: string, wanted: WantedKey) => Promise<CryptoKey>;

interface WantedKey {
  /** Null where the token names none. */
  kid: string | null;
  alg: string;
}

/** As many characters as a token has at most; what the issuers that we know make has less than half. */
const TOKEN_LIMIT = 8_192;
const SUBJECT_LIMIT = 255;
/** The latest moment that a Date can hold, in seconds. */
const LAST_SECOND = 8.64e12;

/** Whether a text has the form of a signed token; no API key has. */
export function looksLikeToken(text: string): boolean {
  return text.startsWith("eyJ") && text.indexOf(".") !== text.lastIndexOf(".");
}

/**
 * Verifies a token of one of the issuers and reads what it says, by the first rule that is for it. What costs nothing
 * is asked first; a signature is checked only by a key of the token's own issuer, for an algorithm that the rule names.
 * @throws AppError `invalid_token`, `expired_token`, `unavailable` where the issuer's keys cannot be had
 */
export async function verifyToken(
  token: string,
  rules: readonly IssuerRule[],
  { findKey, now }: { findKey: FindKey; now: number },
): Promise<VerifiedToken> {
  if (token.length > TOKEN_LIMIT) throw invalidToken(`it is longer than ${TOKEN_LIMIT} characters`);
  const { header, claims } = decode(token);
  const { alg, kid } = header;
  const rule = ruleFor(rules, alg, claims);
  refuseOtherKinds(rule, header.typ, claims);
  const seconds = claims["exp"];
  if (typeof seconds === "number" && seconds + rule.clock_tolerance_seconds <= now / 1000)
    throw expiredToken();
  const wanted = { kid: typeof kid === "string" ? kid : null, alg };
  const key = await findKey(rule.issuer, wanted);
  const payload = await checked(token, { key, rule, now });
  return toVerified(payload, rule);
}

function decode(token: string): {
  header: { alg: string; kid: unknown; typ: unknown };
  claims: Claims;
} {
  try {
    const { alg = "none", kid, typ } = decodeProtectedHeader(token);
    return { header: { alg, kid, typ }, claims: decodeJwt(token) };
  } catch (cause) {
    throw invalidToken("it is not a signed JWT", cause);
  }
}

/** @throws AppError `invalid_token`, which says what no rule is for */
function ruleFor(rules: readonly IssuerRule[], alg: string, claims: Claims): IssuerRule {
  const ofIssuer = rules.filter((rule) => rule.issuer === claims["iss"]);
  if (ofIssuer.length === 0) throw invalidToken("its issuer is none of those that are known here");
  const aud = claims["aud"];
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  const forUs = ofIssuer.filter((rule) => rule.audience.some((name) => audiences.includes(name)));
  if (forUs.length === 0) throw invalidToken("it is for another audience");
  const client = clientOf(claims);
  const ofClient = forUs.filter(
    ({ clients }) => clients === undefined || (client !== null && clients.includes(client)),
  );
  if (ofClient.length === 0) throw invalidToken("its client may not be used here");
  const rule = ofClient.find(({ algorithms }) => algorithms.some((name) => name === alg));
  if (!rule) throw invalidToken("it is signed by an algorithm that is not allowed");
  return rule;
}

async function checked(
  token: string,
  { key, rule, now }: { key: CryptoKey; rule: IssuerRule; now: number },
): Promise<Claims> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: rule.algorithms,
      issuer: rule.issuer,
      audience: rule.audience,
      clockTolerance: rule.clock_tolerance_seconds,
      currentDate: new Date(now),
      requiredClaims: ["exp", "sub"],
    });
    return payload;
  } catch (error) {
    throw faultOf(error);
  }
}

function faultOf(error: unknown): AppError {
  if (error instanceof JWTExpired) return expiredToken();
  if (error instanceof JWTClaimValidationFailed)
    return invalidToken(
      error.claim === "nbf"
        ? "it is not valid yet"
        : `its claim ${error.claim} is missing or unfit`,
      error,
    );
  // A key that is too short is jose's TypeError.
  const why =
    error instanceof JOSEError ? "its signature does not fit" : "its issuer's key is unfit";
  return invalidToken(why, error);
}

async function toVerified(claims: Claims, rule: IssuerRule): Promise<VerifiedToken> {
  const { sub: subject, exp } = claims;
  if (
    typeof subject !== "string" ||
    subject === "" ||
    subject.length > SUBJECT_LIMIT ||
    !isPlainText(subject)
  )
    throw invalidToken("its claim sub is missing or unfit");
  const { issuer, models, team } = rule;
  const email = verifiedEmailOf(claims);
  const membership =
    team.from === "membership"
      ? { teams: team.teams ?? null, byEmail: team.by_verified_email }
      : null;
  return {
    issuer,
    subject,
    email,
    name: nameOf(claims),
    teams: teamsOf(claims, rule),
    permissions: permissionsOf(claims, rule),
    models,
    endUser: endUserOf(claims, rule),
    expiresAt: Math.min(Number(exp) + rule.clock_tolerance_seconds, LAST_SECOND) * 1000,
    person: await sha256Hex(JSON.stringify([issuer, subject, email, membership])),
    membership,
  };
}
