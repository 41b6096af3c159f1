import { createHash, randomBytes } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import Provider from "oidc-provider";

/** The API that tokens are for, as the provider knows it. */
export const RESOURCE = "https://gateway.example.com";
const MOBILE_CLIENT = "mobile-app";
export const BACKEND_CLIENT = "backend";
const BACKEND_SECRET = "backend-secret-0123456789";
const CALLBACK = "http://127.0.0.1/callback";

/** A certified OpenID provider (oidc-provider) on this machine. */
export interface RealProvider {
  issuer: string;
  /** How often its key set was read. */
  keyReads(): number;
  /** Replaces its signing key. */
  rotateKeys(): Promise<void>;
  /** Whether it answers, or drops connections. */
  setUp(up: boolean): void;
  /** Signs a person in as a mobile app does: authorization code with PKCE, through the provider's own pages. */
  signIn(login: string): Promise<{ accessToken: string; idToken: string }>;
  /** A token for a backend: client credentials. */
  clientToken(scope?: string): Promise<string>;
  stop(): Promise<void>;
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const kid = randomBytes(6).toString("hex");
  return { ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" };
}

export async function startRealProvider(): Promise<RealProvider> {
  let up = true;
  let keyReads = 0;
  let handle: RequestListener = (_, response) => void response.end();
  const server = createServer((request, response) => {
    if (!up) {
      request.socket.destroy();
      return;
    }
    if (request.url === "/jwks") keyReads++;
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const issuer = `http://127.0.0.1:${port}`;
  const rotateKeys = async () => {
    handle = new Provider(issuer, configuration(await newKey())).callback();
  };
  await rotateKeys();
  return {
    issuer,
    keyReads: () => keyReads,
    rotateKeys,
    setUp: (value) => void (up = value),
    signIn: (login) => signIn(issuer, login),
    clientToken: (scope = "chat") => clientToken(issuer, scope),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function configuration(key: JWK): Record<string, unknown> {
  return {
    jwks: { keys: [key] },
    cookies: { keys: ["cookie-secret"] },
    clients: [
      {
        client_id: MOBILE_CLIENT,
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: [CALLBACK],
      },
      {
        client_id: BACKEND_CLIENT,
        client_secret: BACKEND_SECRET,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ["openid", "chat", "sessions", "admin"],
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: "chat sessions admin",
          audience: RESOURCE,
          accessTokenTTL: 600,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  };
}

async function clientToken(issuer: string, scope: string): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${BACKEND_CLIENT}:${BACKEND_SECRET}`).toString("base64")}`,
    },
    body: new URLSearchParams({ grant_type: "client_credentials", scope, resource: RESOURCE }),
  });
  return (await tokensOf(response)).access_token;
}

async function tokensOf(response: Response): Promise<{ access_token: string; id_token: string }> {
  const text = await response.text();
  if (!response.ok) throw new Error(`The provider answered ${response.status}: ${text}`);
  return JSON.parse(text) as { access_token: string; id_token: string }; // RFC 6749, section 5.1
}

/** A browser as far as the pages need one: it keeps cookies and shows each answer. */
class Browser {
  private readonly cookies = new Map<string, string>();

  async send(url: string, form?: Record<string, string>): Promise<Response> {
    const response = await fetch(url, {
      redirect: "manual",
      headers: { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form ? { method: "POST", body: new URLSearchParams(form) } : {}),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      this.cookies.set(name, value);
    }
    return response;
  }
}

async function signIn(issuer: string, login: string) {
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    client_id: MOBILE_CLIENT,
    response_type: "code",
    scope: "openid chat sessions",
    redirect_uri: CALLBACK,
    resource: RESOURCE,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const code = await codeFor(issuer, `${issuer}/auth?${query}`, login);
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: MOBILE_CLIENT,
      code,
      code_verifier: verifier,
      redirect_uri: CALLBACK,
    }),
  });
  const { access_token: accessToken, id_token: idToken } = await tokensOf(response);
  return { accessToken, idToken };
}

/** Follows redirects and fills in forms until the app is called back. */
async function codeFor(issuer: string, start: string, login: string): Promise<string> {
  const browser = new Browser();
  let url = start;
  for (let step = 0; step < 12; step++) {
    let response = await browser.send(url);
    if (response.status === 200) {
      const page = await response.text();
      const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
      const action = /<form[^>]+action="([^"]+)"/.exec(page)?.[1];
      if (prompt === undefined || action === undefined) throw new Error(`No form:\n${page}`);
      const filled: Record<string, string> =
        prompt === "login" ? { prompt, login, password: "any" } : { prompt };
      response = await browser.send(new URL(action, issuer).href, filled);
    }
    const location = response.headers.get("location");
    if (location === null) throw new Error(`${url} answered ${response.status}`);
    url = new URL(location, issuer).href;
    const code = url.startsWith(CALLBACK) ? new URL(url).searchParams.get("code") : null;
    if (code !== null) return code;
  }
  throw new Error("The provider never called the app back");
}
