// A wallet on npm @openid4vc/openid4vci: takes what an offer brings, the way its settings say, and
// prints what it got. Where a page must be filled in, it prints the address and reads where the
// browser came back; the test plays the browser.
import { createHash, randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import {
  clientAuthenticationAnonymous,
  clientAuthenticationClientAttestationJwt,
  clientAuthenticationNone,
  createClientAttestationJwt,
} from "@openid4vc/oauth2";
import { Openid4vciClient } from "@openid4vc/openid4vci";
import * as jose from "jose";

// offer, configuration, copies, tx_code; client_id, redirect_uri; attester (a private JWK with x5c
// or kid, and issuer); encrypted; dpop
const wanted = JSON.parse(process.env.WANTED);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => console.log(JSON.stringify(value));

const keys = new Map();
async function newKey() {
  const pair = await jose.generateKeyPair("ES256", { extractable: true });
  const publicJwk = await jose.exportJWK(pair.publicKey);
  keys.set(await jose.calculateJwkThumbprint(publicJwk), pair.privateKey);
  return { method: "jwk", alg: "ES256", publicJwk };
}

async function signJwt(signer, { header, payload }) {
  const jwk = signer.publicJwk ?? wanted.attester.jwk;
  const { d: _, x5c: __, ...publicJwk } = jwk;
  const thumbprint = await jose.calculateJwkThumbprint(publicJwk);
  const key = keys.get(thumbprint) ?? (await jose.importJWK(wanted.attester.jwk, "ES256"));
  // The library leaves out the name of a key that it does not know.
  const named = signer.method === "custom" ? { ...header, kid: wanted.attester.jwk.kid } : header;
  const jwt = await new jose.SignJWT(payload).setProtectedHeader(named).sign(key);
  return { jwt, signerJwk: publicJwk };
}

const callbacks = {
  fetch,
  hash: (data, alg) => createHash(alg.replace("-", "")).update(data).digest(),
  generateRandom: (length) => randomBytes(length),
  signJwt,
  verifyJwt: () => ({ verified: false }),
  encryptJwe: () => {
    throw new Error("not used");
  },
  decryptJwe: () => {
    throw new Error("not used");
  },
};

/** What a wallet provider says of this instance: a client attestation (drafts of OAuth). */
async function attested() {
  const instance = await newKey();
  const { jwk, issuer } = wanted.attester;
  const signer = jwk.x5c
    ? { method: "x5c", alg: "ES256", x5c: jwk.x5c }
    : { method: "custom", alg: "ES256", kid: jwk.kid };
  return createClientAttestationJwt({
    callbacks,
    issuer,
    clientId: wanted.client_id,
    confirmation: { jwk: instance.publicJwk },
    expiresAt: new Date(Date.now() + 600_000),
    signer,
  });
}

async function authentication() {
  if (wanted.attester) {
    const clientAttestationJwt = await attested();
    return clientAuthenticationClientAttestationJwt({ callbacks, clientAttestationJwt });
  }
  return wanted.client_id
    ? clientAuthenticationNone({ clientId: wanted.client_id })
    : clientAuthenticationAnonymous();
}

callbacks.clientAuthentication = await authentication();
const client = new Openid4vciClient({ callbacks });
const credentialOffer = await client.resolveCredentialOffer(wanted.offer);
const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
const configuration =
  wanted.configuration ?? credentialOffer.credential_configuration_ids[0];
const supported =
  issuerMetadata.credentialIssuer.credential_configurations_supported[configuration];

async function preAuthorized(dpop) {
  return client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer,
    issuerMetadata,
    txCode: wanted.tx_code,
    dpop,
  });
}

async function authorizationCode(dpop) {
  const started = await client.createAuthorizationRequestUrlFromOffer({
    credentialOffer,
    issuerMetadata,
    clientId: wanted.client_id,
    redirectUri: wanted.redirect_uri,
    scope: supported.scope,
    dpop,
  });
  say({ authorize: started.authorizationRequestUrl });
  const { value: back } = await lines.next();
  const authorizationServerMetadata = issuerMetadata.authorizationServers[0];
  const response = client.parseAndVerifyAuthorizationResponseRedirectUrl({
    url: back,
    authorizationServerMetadata,
  });
  if (response.error) throw new Error(response.error);
  return client.retrieveAuthorizationCodeAccessTokenFromOffer({
    credentialOffer,
    issuerMetadata,
    authorizationCode: response.code,
    pkceCodeVerifier: started.pkce?.codeVerifier,
    redirectUri: wanted.redirect_uri,
    dpop: started.dpop ?? dpop,
  });
}

const dpopKey = wanted.dpop ? { signer: await newKey() } : undefined;
const grants = credentialOffer.grants ?? {};
const viaCode = grants.authorization_code !== undefined;
const { accessTokenResponse, dpop } = await (viaCode
  ? authorizationCode(dpopKey)
  : preAuthorized(dpopKey));
const accessToken = accessTokenResponse.access_token;

const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata });
const holders = await Promise.all(Array.from({ length: wanted.copies ?? 1 }, newKey));
const jwt = await Promise.all(
  holders.map(async (signer) => {
    const proof = await client.createCredentialRequestJwtProof({
      issuerMetadata,
      credentialConfigurationId: configuration,
      clientId: viaCode ? wanted.client_id : undefined,
      nonce,
      signer,
    });
    return proof.jwt;
  }),
);

/** The library has no encrypted answers yet, so this part is made by hand, on npm jose. */
async function encrypted() {
  const { endpoint, key, keyset } = await target();
  const own = await jose.generateKeyPair("ECDH-ES", { crv: "P-256" });
  const jwk = { ...(await jose.exportJWK(own.publicKey)), alg: "ECDH-ES", use: "enc", kid: "own" };
  const body = {
    credential_configuration_id: configuration,
    proofs: { jwt },
    credential_response_encryption: { jwk, enc: "A128GCM" },
  };
  const plain = new TextEncoder().encode(JSON.stringify(body));
  const header = { alg: "ECDH-ES", enc: "A256GCM", kid: keyset.kid };
  const jwe = await new jose.CompactEncrypt(plain).setProtectedHeader(header).encrypt(key);
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/jwt", authorization: `Bearer ${accessToken}` },
    body: jwe,
  });
  const text = await response.text();
  if (response.headers.get("content-type") !== "application/jwt") {
    throw new Error(`${response.status} ${text}`);
  }
  const opened = await jose.compactDecrypt(text, own.privateKey);
  return JSON.parse(new TextDecoder().decode(opened.plaintext));
}

async function target() {
  const metadata = issuerMetadata.credentialIssuer;
  const keyset = metadata.credential_request_encryption.jwks.keys[0];
  const key = await jose.importJWK(keyset, "ECDH-ES");
  return { endpoint: metadata.credential_endpoint, key, keyset };
}

async function plain() {
  const { credentialResponse } = await client.retrieveCredentials({
    issuerMetadata,
    credentialConfigurationId: configuration,
    accessToken,
    proofs: { jwt },
    dpop,
  });
  return credentialResponse;
}

async function deferred(answer) {
  say({ waiting: answer.transaction_id !== undefined });
  await lines.next();
  const request = { issuerMetadata, accessToken, transactionId: answer.transaction_id, dpop };
  try {
    return (await client.retrieveDeferredCredentials(request)).deferredCredentialResponse;
  } catch (error) {
    // Version 0.4.6 takes a notification_id beside credentials for an error; OpenID4VCI 1.0,
    // section 9.2, has it there.
    const { response } = error.response;
    if (response.status !== 200) throw error;
    return response.json();
  }
}

let answer = wanted.encrypted ? await encrypted() : await plain();
if (answer.transaction_id) answer = await deferred(answer);

if (answer.notification_id) {
  await client.sendNotification({
    issuerMetadata,
    accessToken,
    dpop,
    notification: { notificationId: answer.notification_id, event: "credential_accepted" },
  });
}
say({
  format: supported.format,
  token_type: accessTokenResponse.token_type,
  credentials: answer.credentials.map((item) => item.credential ?? item),
  holders: holders.map((holder) => holder.publicJwk),
  notified: answer.notification_id !== undefined,
});
process.exit(0);
