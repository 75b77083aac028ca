// What @owf/mdoc asks of its host: cryptography and X.509, over node:crypto. Certificates and
// their chains are parsed once.
import { createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman, hkdfSync, randomBytes, sign, timingSafeEqual, verify, X509Certificate } from "node:crypto";
import { CoseKey } from "@owf/mdoc";

const cached = (make) => {
  const known = new Map();
  return (certificate) => {
    const key = Buffer.from(certificate).toString("base64");
    if (!known.has(key)) known.set(key, make(certificate));
    return known.get(key);
  };
};

const x509 = cached((certificate) => new X509Certificate(certificate));
const coseKey = cached((certificate) => CoseKey.fromJwk(x509(certificate).publicKey.export({ format: "jwk" })));
const publicObjects = new WeakMap();
const publicKey = (key) => {
  if (!publicObjects.has(key)) {
    const { kty, crv, x, y } = key.jwk;
    publicObjects.set(key, createPublicKey({ key: { kty, crv, x, y }, format: "jwk" }));
  }
  return publicObjects.get(key);
};
const privateObjects = new WeakMap();
const privateKey = (key) => {
  if (!privateObjects.has(key)) {
    const { kty, crv, x, y, d } = key.jwk;
    privateObjects.set(key, createPrivateKey({ key: { kty, crv, x, y, d }, format: "jwk" }));
  }
  return privateObjects.get(key);
};
const hashes = { "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" };

const chains = new Map();
const verifyCertificateChain = ({ trustedCertificates, x5chain, now }) => {
  const [leaf] = x5chain.map(x509);
  const name = `${leaf.fingerprint256} ${trustedCertificates.map((one) => x509(one).fingerprint256)}`;
  if (!chains.has(name)) {
    const anchor = trustedCertificates.map(x509).find((one) => leaf.checkIssued(one) && leaf.verify(one.publicKey));
    chains.set(name, anchor);
  }
  const anchor = chains.get(name);
  const valid = (one) => new Date(one.validFrom) <= now && now <= new Date(one.validTo);
  if (x5chain.length !== 1 || !anchor || !valid(leaf) || !valid(anchor)) throw new Error("the chain ends in no trusted certificate");
};

export const context = {
  crypto: {
    random: (length) => new Uint8Array(randomBytes(length)),
    digest: ({ digestAlgorithm, bytes }) => new Uint8Array(createHash(hashes[digestAlgorithm]).update(bytes).digest()),
    calculateEphemeralMacKey: ({ privateKey: secret, publicKey: point, sessionTranscriptBytes, info }) => {
      const key = Buffer.from(point);
      const [x, y] = [key.subarray(1, 33), key.subarray(33)].map((part) => part.toString("base64url"));
      const ec = { kty: "EC", crv: "P-256", x, y };
      const shared = diffieHellman({
        privateKey: createPrivateKey({ key: { ...ec, d: Buffer.from(secret).toString("base64url") }, format: "jwk" }),
        publicKey: createPublicKey({ key: ec, format: "jwk" }),
      });
      const salt = createHash("sha256").update(sessionTranscriptBytes).digest();
      return CoseKey.create({ keyType: 4, k: new Uint8Array(hkdfSync("sha256", shared, salt, info, 32)) });
    },
  },
  cose: {
    sign1: {
      sign: ({ key, toBeSigned }) => new Uint8Array(sign("sha256", toBeSigned, { key: privateKey(key), dsaEncoding: "ieee-p1363" })),
      verify: ({ key, sign1 }) => verify("sha256", sign1.toBeSigned, { key: publicKey(key), dsaEncoding: "ieee-p1363" }, sign1.signature),
    },
    mac0: {
      sign: ({ key, toBeAuthenticated }) => new Uint8Array(createHmac("sha256", key.k).update(toBeAuthenticated).digest()),
      verify: ({ key, mac0 }) => timingSafeEqual(createHmac("sha256", key.k).update(mac0.toBeAuthenticated).digest(), mac0.tag),
    },
  },
  x509: {
    getIssuerNameField: ({ certificate, field }) =>
      x509(certificate).issuer.split("\n").filter((line) => line.startsWith(`${field}=`)).map((line) => line.slice(field.length + 1)),
    getPublicKey: ({ certificate }) => coseKey(certificate),
    verifyCertificateChain,
    getCertificateData: ({ certificate }) => {
      const one = x509(certificate);
      return { issuerName: one.issuer, subjectName: one.subject, serialNumber: one.serialNumber, thumbprint: one.fingerprint, notBefore: new Date(one.validFrom), notAfter: new Date(one.validTo), pem: one.toString() };
    },
  },
};
