// The same with Auth.js: `npm install express @auth/express`, then
//   AUTH_SECRET=… AUTH_TRUST_HOST=true ISSUER=… CLIENT_ID=my-app CLIENT_SECRET=… node app.mjs
import { ExpressAuth, getSession } from "@auth/express";
import express from "express";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, ORIGIN = "http://127.0.0.1:9000" } = process.env;
const vouchsafe = {
  id: "vouchsafe", name: "your card", type: "oidc", issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET,
  authorization: { params: { scope: "openid membership" } },
  idToken: false, // claims come from UserInfo
  profile: (claims) => ({ id: claims.sub, name: `${claims.membership_tier} member` }),
};
const config = { providers: [vouchsafe] };
const app = express();
app.set("trust proxy", true);
app.use("/auth", ExpressAuth(config));
app.get("/", async (request, response) => {
  const session = await getSession(request, config);
  if (session) response.type("text").send(`Hello, ${session.user.name}!`);
  else response.redirect(303, "/auth/signin");
});
const { hostname, port } = new URL(ORIGIN);
app.listen(port, hostname, () => console.log(`listening on ${ORIGIN}`));
