// Works for a slice when told to: `<operation> <milliseconds>` on standard
// input, one JSON line for an answer. The peer of P1 and P2: @sd-jwt.
import { createHash, randomBytes, webcrypto } from "node:crypto";
import { createInterface } from "node:readline";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";

const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
const algorithm = { name: "ECDSA", hash: "SHA-256" };
const signer = async (data) =>
  Buffer.from(await webcrypto.subtle.sign(algorithm, keys.privateKey, Buffer.from(data))).toString("base64url");
const verifier = async (data, signature) =>
  webcrypto.subtle.verify(algorithm, keys.publicKey, Buffer.from(signature, "base64url"), Buffer.from(data));
const hasher = (data, name) =>
  createHash(name.replace("-", "")).update(typeof data === "string" ? data : Buffer.from(data)).digest();

const instance = new SDJwtVcInstance({
  signer,
  signAlg: "ES256",
  verifier,
  kbSigner: signer,
  kbSignAlg: "ES256",
  kbVerifier: verifier,
  hasher,
  hashAlg: "sha-256",
  saltGenerator: async (length) => randomBytes(length).toString("base64url"),
});

const names = Array.from({ length: 10 }, (_, index) => `claim_${index}`);
const claims = {
  iss: "https://issuer.example",
  iat: 1795000000,
  vct: "urn:vouchsafe:bench:1",
  cnf: { jwk: await webcrypto.subtle.exportKey("jwk", keys.publicKey) },
  ...Object.fromEntries(names.map((name) => [name, `the value of ${name}, of a usual length`])),
};
const frame = { _sd: names };

const issue = () => instance.issue(claims, frame);
const nonce = "the nonce of this bench";
const presentation = await instance.present(await issue(), Object.fromEntries(names.slice(0, 3).map((name) => [name, true])), {
  kb: { payload: { iat: Math.floor(Date.now() / 1000), aud: "https://verifier.example", nonce } },
});
const verify = async () => {
  const { payload } = await instance.verify(presentation, { requiredClaimKeys: names.slice(0, 3), keyBindingNonce: nonce });
  if (payload.claim_2 === undefined || payload.claim_3 !== undefined) throw new Error("the peer verified something else");
};

const operations = { issue, verify };
for await (const line of createInterface({ input: process.stdin })) {
  const [name, milliseconds] = line.split(" ");
  const end = performance.now() + Number(milliseconds);
  const before = process.cpuUsage();
  let count = 0;
  while (performance.now() < end) {
    await operations[name]();
    count += 1;
  }
  const used = process.cpuUsage(before);
  console.log(JSON.stringify({ operations: count, cpu_us: used.user + used.system }));
}
