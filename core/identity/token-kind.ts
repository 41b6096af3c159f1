import type { Claims } from "./claims.ts";
import type { IssuerRule } from "./oidc-issuer.ts";
import { invalidToken } from "./token-faults.ts";

/** Claims that stand in ID tokens and never in access tokens: hashes of what came with them. */
const ID_TOKEN_CLAIMS = ["at_hash", "c_hash", "s_hash"];
/** What Keycloak writes into the claim `typ` of tokens that are not for APIs. */
const OTHER_TYPES = ["id", "refresh", "offline", "logout"];

/**
 * A good signature does not make an access token: the same key signs ID tokens, logout tokens and more.
 * @throws AppError `invalid_token`
 */
export function refuseOtherKinds(rule: IssuerRule, typ: unknown, claims: Claims): void {
  const plain =
    typ === undefined
      ? "jwt"
      : String(typ)
          .toLowerCase()
          .replace(/^application\//, "");
  if (!rule.token_types.some((name) => name.toLowerCase() === plain))
    throw invalidToken("it is of another type");
  const own = typeof claims["typ"] === "string" ? claims["typ"].toLowerCase() : "";
  const isIdToken = ID_TOKEN_CLAIMS.some((name) => name in claims);
  const hasNonce = "nonce" in claims && own !== "bearer" && plain !== "at+jwt";
  const isOther = "token_use" in claims && claims["token_use"] !== "access"; // Amazon Cognito
  if (isIdToken || hasNonce || isOther || OTHER_TYPES.includes(own))
    throw invalidToken("it is no access token; send the access token, not the ID token");
  if ("cnf" in claims)
    throw invalidToken("it is bound to a key of its client, and cannot be used by itself");
}
