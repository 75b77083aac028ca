// Works for a slice when told to: `<operation> <milliseconds>` on standard input, one JSON line
// for an answer. The peer of P3: @owf/mdoc, with X.509 parses and chains cached by its host.
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  CoseKey, DeviceKey, DeviceRequest, DeviceResponse, DocRequest, IssuerSigned, Issuer, ItemsRequest, SessionTranscript, Verifier,
} from "@owf/mdoc";
import { context } from "./mdoc-context.mjs";

// An IACA and a document signer below it, made by the openssl command.
const folder = mkdtempSync(join(tmpdir(), "bench-mdoc-"));
const openssl = (...words) => execFileSync("openssl", words, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "iaca.key",
  "-out", "iaca.pem", "-days", "30", "-subj", "/C=AT/CN=IACA");
openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ds.key", "-out", "ds.csr",
  "-subj", "/C=AT/CN=Document signer");
writeFileSync(join(folder, "ext"), "extendedKeyUsage=1.0.18013.5.1.2\nkeyUsage=digitalSignature\n");
openssl("x509", "-req", "-in", "ds.csr", "-CA", "iaca.pem", "-CAkey", "iaca.key", "-days", "20", "-extfile", "ext", "-out", "ds.pem");
const der = (name) => new Uint8Array(openssl("x509", "-in", name, "-outform", "DER"));
const { createPrivateKey } = await import("node:crypto");
const issuerJwk = createPrivateKey(readFileSync(join(folder, "ds.key"))).export({ format: "jwk" });
const [iaca, certificate] = [der("iaca.pem"), der("ds.pem")];
rmSync(folder, { recursive: true });

const device = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
const namespace = "org.example.bench";
const docType = "org.iso.18013.5.1.mDL";
const names = Array.from({ length: 10 }, (_, index) => `element_${index}`);
const elements = Object.fromEntries(names.map((name) => [name, `the value of ${name}, of a usual length`]));
const signingKey = CoseKey.fromJwk({ ...issuerJwk, alg: "ES256" });
const { d: _, ...devicePublic } = device;
const deviceKey = DeviceKey.fromJwk(devicePublic);
const now = new Date();

const issue = async () => {
  const issuer = new Issuer(docType, context);
  issuer.addIssuerNamespace(namespace, elements);
  const issued = await issuer.sign({
    signingKey,
    certificates: [certificate],
    algorithm: -7,
    digestAlgorithm: "SHA-256",
    deviceKeyInfo: { deviceKey },
    validityInfo: { signed: now, validFrom: now, validUntil: new Date(now.getTime() + 86_400_000) },
  });
  return issued.encode();
};

const transcript = () => SessionTranscript.forOid4Vp(
  { clientId: "x509_san_dns:verifier.example", nonce: "the nonce of this bench", jwkThumbprint: new Uint8Array(32), responseUri: "https://verifier.example/response" },
  context,
);
const asked = Object.fromEntries(names.slice(0, 3).map((name) => [name, false]));
const deviceRequest = DeviceRequest.create({
  docRequests: [DocRequest.create({ itemsRequest: ItemsRequest.create({ docType, namespaces: { [namespace]: asked } }) })],
});
const response = (
  await DeviceResponse.createWithDeviceRequest(
    {
      deviceRequest,
      issuerSigned: [IssuerSigned.decode(await issue())],
      sessionTranscript: await transcript(),
      signature: { signingKey: CoseKey.fromJwk({ ...device, alg: "ES256" }) },
    },
    context,
  )
).encode();
const session = await transcript();
const verify = () =>
  Verifier.verifyDeviceResponse(
    { deviceResponse: response, sessionTranscript: session, trustedCertificates: [iaca], now: new Date() },
    context,
  );

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
