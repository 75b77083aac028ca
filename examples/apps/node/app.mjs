// A page that greets members, on npm openid-client: `npm install openid-client`, then
//   ISSUER=http://127.0.0.1:8701 CLIENT_ID=my-app CLIENT_SECRET=… node app.mjs
import { createServer } from "node:http";
import * as oidc from "openid-client";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, ORIGIN = "http://127.0.0.1:9000" } = process.env;
const redirect_uri = `${ORIGIN}/callback`;
// Plain http is for this machine alone.
const options = ISSUER.startsWith("http:") ? { execute: [oidc.allowInsecureRequests] } : {};
const provider = await oidc.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, options);
const logins = new Map(); // what each browser that logs in has to come back with
const cookie = (request) => /(?:^|; )login=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];

async function answer(request, response) {
  const url = new URL(request.url, ORIGIN);
  if (url.pathname === "/callback") {
    const checks = logins.get(cookie(request)) ?? {};
    logins.delete(cookie(request));
    const tokens = await oidc.authorizationCodeGrant(provider, url, checks);
    const person = await oidc.fetchUserInfo(provider, tokens.access_token, tokens.claims().sub);
    response.setHeader("content-type", "text/plain");
    return response.end(`Hello, ${person.membership_tier} member!`);
  }
  const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState() };
  const code_challenge = await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier);
  const asked = { redirect_uri, scope: "openid membership", state: checks.expectedState, code_challenge, code_challenge_method: "S256" };
  const login = oidc.randomState();
  logins.set(login, checks);
  const headers = { location: oidc.buildAuthorizationUrl(provider, asked).href, "set-cookie": `login=${login}; HttpOnly; SameSite=Lax` };
  response.writeHead(303, headers).end();
}

const { hostname, port } = new URL(ORIGIN);
createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error("a login failed:", error.error ?? error.code ?? error.message); // invalid_client: the secret
    response.writeHead(400).end("The login failed.");
  });
}).listen(port, hostname, () => console.log(`listening on ${ORIGIN}`));
