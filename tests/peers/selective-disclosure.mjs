// ecdsa-sd-2023 and bbs-2023 of Digital Bazaar, for the tests in tests/oracles.
// Reads {contexts: {url: document}, steps: [...]} from standard input and
// writes one JSON answer for each step, {refused} where it throws:
//   {op: "issue", suite, document, mandatory}              -> {document}
//   {op: "derive", suite, document, selective, header}     -> {document}
//   {op: "verify", suite, document, header}                -> {verified}
// Keys are in did:key; presentation headers (BBS) are hex. Nothing is fetched.
import { text } from "node:stream/consumers";
import * as bbs from "@digitalbazaar/bbs-2023-cryptosuite";
import * as Bls12381Multikey from "@digitalbazaar/bls12-381-multikey";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import * as EcdsaMultikey from "@digitalbazaar/ecdsa-multikey";
import * as ecdsaSd from "@digitalbazaar/ecdsa-sd-2023-cryptosuite";
import jsigs from "jsonld-signatures";

const { contexts, steps } = JSON.parse(await text(process.stdin));
const suites = {
  "ecdsa-sd-2023": { ...ecdsaSd, key: () => EcdsaMultikey.generate({ curve: "P-256" }) },
  "bbs-2023": { ...bbs, key: () => Bls12381Multikey.generateBbsKeyPair({ algorithm: "BBS-BLS12-381-SHA-256" }) },
};

const multikey = (did) => ({
  "@context": "https://w3id.org/security/multikey/v1",
  id: `${did}#${did.slice(8)}`,
  type: "Multikey",
  controller: did,
  publicKeyMultibase: did.slice(8),
});

const loaded = (url) => {
  if (contexts[url]) return contexts[url];
  if (!url.startsWith("did:key:")) throw new Error(`unknown document ${url}`);
  const [did, fragment] = url.split("#");
  if (fragment) return multikey(did);
  return {
    "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
    id: did,
    assertionMethod: [multikey(did)],
  };
};
const documentLoader = async (url) => ({ contextUrl: null, documentUrl: url, document: loaded(url) });
const purpose = () => new jsigs.purposes.AssertionProofPurpose();
const bytes = (hex) => new Uint8Array(Buffer.from(hex ?? "", "hex"));

const operations = {
  async issue({ suite, document, mandatory }) {
    const key = await suites[suite].key();
    const { publicKeyMultibase } = await key.export({ publicKey: true });
    key.controller = `did:key:${publicKeyMultibase}`;
    key.id = `${key.controller}#${publicKeyMultibase}`;
    const cryptosuite = suites[suite].createSignCryptosuite({ mandatoryPointers: mandatory });
    const proof = new DataIntegrityProof({ signer: key.signer(), cryptosuite });
    return { document: await jsigs.sign(document, { suite: proof, purpose: purpose(), documentLoader }) };
  },
  async derive({ suite, document, selective, header }) {
    const cryptosuite = suites[suite].createDiscloseCryptosuite({
      selectivePointers: selective,
      presentationHeader: bytes(header),
    });
    const proof = new DataIntegrityProof({ cryptosuite });
    return { document: await jsigs.derive(document, { suite: proof, purpose: purpose(), documentLoader }) };
  },
  async verify({ suite, document, header }) {
    const cryptosuite = suites[suite].createVerifyCryptosuite({ expectedPresentationHeader: bytes(header) });
    const proof = new DataIntegrityProof({ cryptosuite });
    const result = await jsigs.verify(document, { suite: proof, purpose: purpose(), documentLoader });
    if (!result.verified) throw new Error(JSON.stringify(result.error?.errors?.map(String)));
    return { verified: true };
  },
};

const answers = [];
for (const step of steps) {
  try {
    answers.push(await operations[step.op](step));
  } catch (error) {
    answers.push({ refused: String(error?.message ?? error) });
  }
}
console.log(JSON.stringify(answers));
