// @ts-check
// An organisation's own system in TypeScript: npm openapi-fetch with the types of
// clients/typescript. It prints what it got; the test plays the person who takes the card.
import { createInterface } from "node:readline";
import createClient from "openapi-fetch";

/** @typedef {import("../../clients/typescript/issuer.d.ts").paths} paths */

const { ISSUER = "", CLIENT_ID = "", CLIENT_SECRET = "" } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
/** @param {unknown} value */
const say = (value) => console.log(JSON.stringify(value));

/** @type {import("openapi-fetch").Client<paths>} */
const api = createClient({ baseUrl: ISSUER });

// An access token for this system (RFC 6749, section 4.4).
const basic = Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString("base64");
const granted = await api.POST("/oauth2/token", {
  headers: {
    authorization: `Basic ${basic}`,
    "content-type": "application/x-www-form-urlencoded",
  },
  body: { grant_type: "client_credentials" },
  bodySerializer: (body) => new URLSearchParams({ grant_type: body.grant_type }),
});
if (!granted.data) throw new Error(`no token: ${JSON.stringify(granted.error)}`);
api.use({
  onRequest({ request }) {
    request.headers.set("authorization", `Bearer ${granted.data.access_token}`);
    return request;
  },
});

const types = await api.GET("/v1/credential-types");
if (!types.data) throw new Error("no types");

const offer = await api.POST("/v1/offers", {
  params: { header: { "Idempotency-Key": "story-1" } },
  body: {
    record_id: "crm-typescript",
    credential_type: "membership",
    grant: "pre_authorized_code",
    claims: { member_id: "M-TS", tier: "gold", valid_until: "2030-12-31" },
  },
});
if (!offer.data) throw new Error(`no offer: ${JSON.stringify(offer.error)}`);

// What is wrong is told in a form that has types, too.
const refused = await api.POST("/v1/offers", {
  params: {},
  body: {
    record_id: "crm-typescript",
    credential_type: "membership",
    grant: "pre_authorized_code",
    claims: { tier: 1 },
  },
});
say({
  types: types.data.items.map((type) => type.id),
  link: offer.data.link,
  refused: refused.error?.code,
  status: refused.response.status,
});

await lines.next();
const cards = await api.GET("/v1/credentials", {
  params: { query: { record_id: "crm-typescript" } },
});
const card = cards.data?.items[0];
if (!card) throw new Error("no card");
const revoked = await api.POST("/v1/credentials/{id}/revoke", {
  params: { path: { id: card.id }, header: { "If-Match": `"${card.version}"` } },
});
say({ before: card.status, after: revoked.data?.status });
process.exit(0);
