// Issues, presents and verifies mdocs with @owf/mdoc, for tests/oracles. Reads a JSON array of
// steps from standard input and writes a JSON array of answers; bytes are base64url:
//   {op: "issue", doctype, elements, issuerKey, certificate, deviceKey, validity}  -> {issuerSigned}
//   {op: "present", issuerSigned, elements, deviceKey, transcript}                 -> {response}
//   {op: "verify", response, transcript, anchors, now}                             -> {elements} | {refused}
//   {op: "verifyIssued", issuerSigned, anchors, now}                               -> {elements} | {refused}
// `elements` is {namespace: {element: value}}; `transcript` {clientId, nonce, jwkThumbprint?,
// responseUri} or {origin, nonce, jwkThumbprint?}. Keys are P-256 JWKs.
import { text } from "node:stream/consumers";
import {
  CoseKey, DeviceKey, DeviceRequest, DeviceResponse, DocRequest, Issuer, IssuerSigned, ItemsRequest, SessionTranscript,
  Holder, Verifier,
} from "@owf/mdoc";
import { context } from "./mdoc-context.mjs";

const bytes = (value) => new Uint8Array(Buffer.from(value, "base64url"));
const encoded = (value) => Buffer.from(value).toString("base64url");

const transcript = ({ origin, jwkThumbprint, ...rest }) => {
  const options = { ...rest, jwkThumbprint: jwkThumbprint && bytes(jwkThumbprint) };
  return origin
    ? SessionTranscript.forOid4VpDcApi({ origin, ...options }, context)
    : SessionTranscript.forOid4Vp(options, context);
};

const plain = (issuerSigned) => {
  const all = {};
  for (const [namespace, items] of issuerSigned.issuerNamespaces.issuerNamespaces) {
    all[namespace] = Object.fromEntries(items.map((item) => [item.elementIdentifier, item.elementValue]));
  }
  return all;
};

const refusing = async (check) => {
  try {
    return await check();
  } catch (error) {
    return { refused: String(error.message ?? error) };
  }
};

const operations = {
  async issue({ doctype, elements, issuerKey, certificate, deviceKey, validity }) {
    const issuer = new Issuer(doctype, context);
    for (const [namespace, values] of Object.entries(elements)) issuer.addIssuerNamespace(namespace, values);
    const issuerSigned = await issuer.sign({
      signingKey: CoseKey.fromJwk(issuerKey),
      certificates: [bytes(certificate)],
      algorithm: -7,
      digestAlgorithm: "SHA-256",
      deviceKeyInfo: { deviceKey: DeviceKey.fromJwk(deviceKey) },
      validityInfo: Object.fromEntries(Object.entries(validity).map(([name, time]) => [name, new Date(time)])),
    });
    return { issuerSigned: encoded(issuerSigned.encode()) };
  },
  async present({ issuerSigned, elements, deviceKey, transcript: session }) {
    const held = IssuerSigned.decode(bytes(issuerSigned));
    const docType = held.issuerAuth.mobileSecurityObject.docType;
    const deviceRequest = DeviceRequest.create({
      docRequests: [DocRequest.create({ itemsRequest: ItemsRequest.create({ docType, namespaces: elements }) })],
    });
    const response = await DeviceResponse.createWithDeviceRequest(
      {
        deviceRequest,
        issuerSigned: [held],
        sessionTranscript: await transcript(session),
        signature: { signingKey: CoseKey.fromJwk({ ...deviceKey, alg: "ES256" }) },
      },
      context,
    );
    return { response: encoded(response.encode()) };
  },
  verify: ({ response, anchors, now, transcript: session }) =>
    refusing(async () => {
      await Verifier.verifyDeviceResponse(
        {
          deviceResponse: bytes(response),
          sessionTranscript: await transcript(session),
          trustedCertificates: anchors.map(bytes),
          now: new Date(now),
        },
        context,
      );
      return { elements: plain(DeviceResponse.decode(bytes(response)).documents[0].issuerSigned) };
    }),
  verifyIssued: ({ issuerSigned, anchors, now }) =>
    refusing(async () => {
      await Holder.verifyIssuerSigned(
        { issuerSigned: bytes(issuerSigned), trustedCertificates: anchors.map(bytes), now: new Date(now) },
        context,
      );
      return { elements: plain(IssuerSigned.decode(bytes(issuerSigned))) };
    }),
};

const answers = [];
for (const step of JSON.parse(await text(process.stdin))) {
  answers.push(await operations[step.op](step));
}
process.stdout.write(JSON.stringify(answers));
