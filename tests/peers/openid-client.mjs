// A relying party on npm openid-client: prints where the browser goes, reads
// where it came back, prints what it learned. The test plays the browser.
import { createInterface } from "node:readline";
import * as client from "openid-client";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, ORIGIN, ALG, SCOPE } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => console.log(JSON.stringify(value));

const config = await client.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  { client_secret: CLIENT_SECRET, id_token_signed_response_alg: ALG },
  undefined,
  // The second one makes it check signatures against the JWKS.
  { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
);
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
const authorize = client.buildAuthorizationUrl(config, {
  redirect_uri: `${ORIGIN}/callback`,
  scope: SCOPE,
  state: expectedState,
  nonce: expectedNonce,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
});
say({ authorize: authorize.href });

const { value: back } = await lines.next();
const tokens = await client.authorizationCodeGrant(config, new URL(back), {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
});
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const header = JSON.parse(Buffer.from(tokens.id_token.split(".")[0], "base64url"));
const logout = client.buildEndSessionUrl(config, {
  id_token_hint: tokens.id_token,
  post_logout_redirect_uri: `${ORIGIN}/`,
});
say({ alg: header.alg, claims, userinfo, access_token: tokens.access_token, logout: logout.href });
process.exit(0);
