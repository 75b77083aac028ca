// Issues and verifies SD-JWTs with @sd-jwt/core, for the tests in
// tests/tests/it. Reads one JSON request from standard input and writes one
// JSON answer:
//   {op: "issue", claims, frame, header, issuerKey}      -> {compact}
//   {op: "verify", compact, issuerKey, nonce?, now}      -> {claims, header, kb?} | {refused}
//   {op: "present", compact, frame, holderKey, binding}  -> {compact}
// Keys are P-256 JWKs.
import { webcrypto as crypto, createHash, randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import { SDJwtInstance } from "@sd-jwt/core";

const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const bytes = (value) => new TextEncoder().encode(value);

const signer = async (jwk) => {
  const key = await crypto.subtle.importKey("jwk", jwk, ES256, false, ["sign"]);
  return async (data) =>
    Buffer.from(await crypto.subtle.sign(ES256, key, bytes(data))).toString("base64url");
};

const verifier = async (jwk) => {
  const key = await crypto.subtle.importKey("jwk", jwk, ES256, false, ["verify"]);
  return (data, signature) =>
    crypto.subtle.verify(ES256, key, Buffer.from(signature, "base64url"), bytes(data));
};

const hasher = (data, alg) =>
  createHash(alg.replace("-", "")).update(typeof data === "string" ? data : Buffer.from(data)).digest();

const common = {
  signAlg: "ES256",
  kbSignAlg: "ES256",
  hasher,
  saltGenerator: (length) => randomBytes(length).toString("hex"),
};

const operations = {
  async issue({ claims, frame, header, issuerKey }) {
    const instance = new SDJwtInstance({ ...common, signer: await signer(issuerKey) });
    return { compact: await instance.issue(claims, frame, { header }) };
  },
  async verify({ compact, issuerKey, nonce, now }) {
    const instance = new SDJwtInstance({
      ...common,
      verifier: await verifier(issuerKey),
      kbVerifier: async (data, signature, payload) => {
        const holder = await verifier(payload.cnf.jwk);
        return holder(data, signature);
      },
    });
    try {
      const options = { keyBindingNonce: nonce, currentDate: now };
      const { payload, header, kb } = await instance.verify(compact, options);
      return { claims: payload, header, kb: kb?.payload };
    } catch (error) {
      return { refused: String(error.message ?? error) };
    }
  },
  async present({ compact, frame, holderKey, binding }) {
    const instance = new SDJwtInstance({ ...common, kbSigner: await signer(holderKey) });
    return { compact: await instance.present(compact, frame, { kb: { payload: binding } }) };
  },
};

const request = JSON.parse(await text(process.stdin));
const answers = [];
for (const step of request) {
  answers.push(await operations[step.op](step));
}
process.stdout.write(JSON.stringify(answers));
