// Works for a slice when told to: `<operation> <milliseconds>` on standard
// input, one JSON line for an answer. Digital Bazaar's ecdsa-sd-2023 and
// bbs-2023. The first line of input is {contexts, document, mandatory, selective}.
import { createInterface } from "node:readline";
import * as bbs from "@digitalbazaar/bbs-2023-cryptosuite";
import * as Bls12381Multikey from "@digitalbazaar/bls12-381-multikey";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import * as EcdsaMultikey from "@digitalbazaar/ecdsa-multikey";
import * as ecdsaSd from "@digitalbazaar/ecdsa-sd-2023-cryptosuite";
import jsigs from "jsonld-signatures";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { contexts, document, mandatory, selective } = JSON.parse((await lines.next()).value);

const multikey = (did) => ({
  "@context": "https://w3id.org/security/multikey/v1",
  id: `${did}#${did.slice(8)}`,
  type: "Multikey",
  controller: did,
  publicKeyMultibase: did.slice(8),
});
const loaded = (url) => {
  if (contexts[url]) return contexts[url];
  const [did, fragment] = url.split("#");
  if (fragment) return multikey(did);
  return {
    "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
    id: did,
    assertionMethod: [multikey(did)],
  };
};
const documentLoader = async (url) => ({ contextUrl: null, documentUrl: url, document: loaded(url) });

const three = async (suite, key) => {
  const { publicKeyMultibase } = await key.export({ publicKey: true });
  key.controller = `did:key:${publicKeyMultibase}`;
  key.id = `${key.controller}#${publicKeyMultibase}`;
  const options = (proof) => ({
    suite: new DataIntegrityProof(proof), purpose: new jsigs.purposes.AssertionProofPurpose(), documentLoader,
  });
  const issue = () => jsigs.sign(structuredClone(document), options({
    signer: key.signer(), cryptosuite: suite.createSignCryptosuite({ mandatoryPointers: mandatory }),
  }));
  const base = await issue();
  const derive = () => jsigs.derive(structuredClone(base), options({
    cryptosuite: suite.createDiscloseCryptosuite({ selectivePointers: selective }),
  }));
  const shown = await derive();
  const verify = async () => {
    const result = await jsigs.verify(structuredClone(shown), options({ cryptosuite: suite.createVerifyCryptosuite() }));
    if (!result.verified) throw new Error("the peer refused its own proof");
  };
  return { issue, derive, verify };
};

const ecdsa = await three(ecdsaSd, await EcdsaMultikey.generate({ curve: "P-256" }));
const blind = await three(bbs, await Bls12381Multikey.generateBbsKeyPair({ algorithm: "BBS-BLS12-381-SHA-256" }));
const operations = {
  ecdsaIssue: ecdsa.issue, ecdsaDerive: ecdsa.derive, ecdsaVerify: ecdsa.verify,
  bbsIssue: blind.issue, bbsDerive: blind.derive, bbsVerify: blind.verify,
};
for (const operation of Object.values(operations)) await operation();
for await (const line of lines) {
  const [name, milliseconds] = line.split(" ");
  const end = performance.now() + Number(milliseconds);
  const before = process.cpuUsage();
  let count = 0;
  do {
    await operations[name]();
    count += 1;
  } while (performance.now() < end);
  const used = process.cpuUsage(before);
  console.log(JSON.stringify({ operations: count, cpu_us: used.user + used.system }));
}
