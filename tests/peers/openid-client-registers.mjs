// A relying party on npm openid-client that registers by itself: prints where the browser goes,
// reads where it came back, prints what it learned. The test plays the browser.
import { createInterface } from "node:readline";
import * as client from "openid-client";

const { ISSUER, TOKEN, ORIGIN, SCOPE } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => console.log(JSON.stringify(value));

const metadata = {
  client_name: "The peer",
  redirect_uris: [`${ORIGIN}/callback`],
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  token_endpoint_auth_method: "client_secret_post",
  id_token_signed_response_alg: "ES256",
};
const options = {
  initialAccessToken: TOKEN,
  execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
};
const config = await client.dynamicClientRegistration(
  new URL(ISSUER),
  metadata,
  undefined,
  options,
);
const registered = config.clientMetadata();
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
const authorize = client.buildAuthorizationUrl(config, {
  redirect_uri: metadata.redirect_uris[0],
  scope: SCOPE,
  state: expectedState,
  nonce: expectedNonce,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
});
say({ authorize: authorize.href, client_id: registered.client_id });

const { value: back } = await lines.next();
const tokens = await client.authorizationCodeGrant(config, new URL(back), {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
});
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);

const again = await client
  .dynamicClientRegistration(new URL(ISSUER), metadata, undefined, options)
  .then(
    () => 201,
    (error) => error.status ?? error.cause?.status,
  );
const manage = (method) =>
  fetch(registered.registration_client_uri, {
    method,
    headers: { authorization: `Bearer ${registered.registration_access_token}` },
  });
const read = (await manage("GET")).status;
const removed = (await manage("DELETE")).status;
const after = await fetch(config.serverMetadata().userinfo_endpoint, {
  headers: { authorization: `Bearer ${fresh.access_token}` },
});
say({
  claims,
  userinfo,
  refreshed: fresh.access_token !== tokens.access_token,
  again,
  read,
  removed,
  userinfo_after: after.status,
});
process.exit(0);
