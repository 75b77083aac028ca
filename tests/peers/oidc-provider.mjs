// An OpenID Provider on npm oidc-provider: prints its issuer identifier, reads where its one client
// is, and signs everybody in as the same person. The test plays the browser.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import * as jose from "jose";

// Its remarks are not for the test.
console.info = console.warn = console.error;
const oidc = await import("oidc-provider");

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let serve = (_, response) => response.writeHead(503).end();
const server = createServer((request, response) => serve(request, response));
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
console.log(JSON.stringify({ issuer }));

const { value: origin } = await lines.next();
const pair = await jose.generateKeyPair("RS256", { extractable: true });
const key = { ...(await jose.exportJWK(pair.privateKey)), alg: "RS256", use: "sig", kid: "1" };
const name = createHash("sha256").update(issuer).digest("hex").slice(0, 32);
const provider = new oidc.Provider(issuer, {
  clients: [
    {
      client_id: "issuer",
      client_secret: "a secret of the client, with a : in it",
      redirect_uris: [`${origin}/authorize/upstream/${name}`],
    },
  ],
  claims: { openid: ["sub"], membership: ["member_number", "level", "until"] },
  scopes: ["openid", "membership"],
  cookies: { keys: ["a key of the cookies"] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, accountId) => ({
    accountId,
    claims: () => ({ sub: accountId, member_number: "M-77", level: "gold", until: "2030-01-01" }),
  }),
  jwks: { keys: [key] },
});

async function interaction(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  let result = { login: { accountId: "ada" } };
  if (prompt.name === "consent") {
    const grant = new provider.Grant({
      accountId: session.accountId,
      clientId: params.client_id,
    });
    grant.addOIDCScope(params.scope);
    result = { consent: { grantId: await grant.save() } };
  }
  const options = { mergeWithLastSubmission: true };
  await provider.interactionFinished(request, response, result, options);
}

const callback = provider.callback();
serve = (request, response) =>
  request.url.startsWith("/interaction/")
    ? interaction(request, response).catch((error) => response.writeHead(500).end(`${error}`))
    : callback(request, response);
console.log(JSON.stringify({ ready: true }));
