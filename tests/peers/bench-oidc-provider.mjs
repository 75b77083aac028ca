// The peer of P7: a code login at npm oidc-provider whose session is cached, in a process of its own;
// counted is that process. Works for a slice when told to, as the other peers do.
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as jose from "jose";

const SECRET = "a secret of the client of thirty-three characters";
const BACK = "http://127.0.0.1:9/callback";

async function serve() {
  console.info = console.warn = console.error = () => {};
  const oidc = await import("oidc-provider");
  let handle = (_, response) => response.writeHead(503).end();
  const server = http.createServer((request, response) => handle(request, response));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const pair = await jose.generateKeyPair("ES256", { extractable: true });
  const key = { ...(await jose.exportJWK(pair.privateKey)), alg: "ES256", use: "sig", kid: "1" };
  const provider = new oidc.Provider(issuer, {
    clients: [{ client_id: "bench", client_secret: SECRET, redirect_uris: [BACK], id_token_signed_response_alg: "ES256" }],
    cookies: { keys: ["a key of the cookies"] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    jwks: { keys: [key] },
  });
  const callback = provider.callback();
  const interaction = async (request, response) => {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    let result = { login: { accountId: "ada" } };
    if (prompt.name === "consent") {
      const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
      grant.addOIDCScope(params.scope);
      result = { consent: { grantId: await grant.save() } };
    }
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
  };
  handle = (request, response) =>
    request.url.startsWith("/interaction/")
      ? interaction(request, response).catch((error) => response.writeHead(500).end(`${error}`))
      : callback(request, response);
  console.log(issuer);
}

if (process.argv[2] === "serve") {
  await serve();
} else {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), "serve"], { stdio: ["ignore", "pipe", "ignore"] });
  process.on("exit", () => child.kill());
  const { value: issuer } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  const agent = new http.Agent({ keepAlive: true });
  const cookies = new Map();

  const ask = (url, options = {}, body = "") =>
    new Promise((done, failed) => {
      const request = http.request(new URL(url, issuer), { agent, ...options }, (response) => {
        let text = "";
        response.on("data", (part) => (text += part));
        response.on("end", () => {
          for (const line of response.headers["set-cookie"] ?? []) {
            const [pair] = line.split(";");
            const at = pair.indexOf("=");
            if (pair.slice(at + 1)) cookies.set(pair.slice(0, at), pair.slice(at + 1));
            else cookies.delete(pair.slice(0, at));
          }
          done({ status: response.statusCode, location: response.headers.location, text });
        });
      });
      request.on("error", failed);
      request.end(body);
    });
  const browse = async (url) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const { location, status, text } = await ask(url, { headers: { cookie } });
    if (!location) throw new Error(`${status} ${text}`);
    return new URL(location, issuer).href;
  };

  async function login() {
    const verifier = randomBytes(32).toString("base64url");
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const query = new URLSearchParams({
      client_id: "bench", redirect_uri: BACK, response_type: "code", scope: "openid", nonce: verifier.slice(0, 20),
      state: verifier.slice(20), code_challenge: challenge, code_challenge_method: "S256",
    });
    let at = `${issuer}/auth?${query}`;
    while (!at.startsWith(BACK)) at = await browse(at);
    const body = new URLSearchParams({
      grant_type: "authorization_code", code: new URL(at).searchParams.get("code"), redirect_uri: BACK,
      code_verifier: verifier, client_id: "bench", client_secret: SECRET,
    }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) };
    const { text } = await ask(`${issuer}/token`, { method: "POST", headers }, body);
    const { access_token: token, id_token: told } = JSON.parse(text);
    if (!told) throw new Error(`no ID token: ${text}`);
    const { status } = await ask(`${issuer}/me`, { headers: { authorization: `Bearer ${token}` } });
    if (status !== 200) throw new Error(`UserInfo: ${status}`);
  }

  // The first login makes the session. A tick is a hundredth of a second.
  await login();
  const used = () => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 1e4;
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [, milliseconds] = line.split(" ");
    const end = performance.now() + Number(milliseconds);
    const before = used();
    let count = 0;
    const client = async () => {
      while (performance.now() < end) {
        await login();
        count += 1;
      }
    };
    await Promise.all([client(), client(), client(), client()]);
    console.log(JSON.stringify({ operations: count, cpu_us: used() - before }));
  }
}
