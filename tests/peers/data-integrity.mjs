// JSON-LD, RDFC-1.0 and the rdfc cryptosuites of Digital Bazaar, for the tests
// in tests/oracles. Reads {contexts: {url: document}, steps: [...]} from
// standard input and writes one JSON answer for each step:
//   {op: "canonize", document}                 -> {nquads} | {refused}
//   {op: "nquads", text, hash}                 -> {nquads} | {refused}
//   {op: "issue", suite, curve, credential}    -> {credential} | {refused}
//   {op: "verify", suite, credential}          -> {verified: true} | {refused}
// Nothing is fetched: an unknown URL is refused.
import { text } from "node:stream/consumers";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import * as EcdsaMultikey from "@digitalbazaar/ecdsa-multikey";
import { cryptosuite as ecdsaRdfc } from "@digitalbazaar/ecdsa-rdfc-2019-cryptosuite";
import * as Ed25519Multikey from "@digitalbazaar/ed25519-multikey";
import { cryptosuite as eddsaRdfc } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";
import jsonld from "jsonld";
import jsigs from "jsonld-signatures";
import * as rdfCanonize from "rdf-canonize";

const { contexts, steps } = JSON.parse(await text(process.stdin));
const suites = { "eddsa-rdfc-2022": eddsaRdfc, "ecdsa-rdfc-2019": ecdsaRdfc };

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

const operations = {
  async canonize({ document }) {
    const dataset = await jsonld.toRDF(document, {
      base: null, safe: true, rdfDirection: "i18n-datatype", produceGeneralizedRdf: false, documentLoader,
    });
    return { nquads: await rdfCanonize.canonize(dataset, { algorithm: "RDFC-1.0" }) };
  },
  async nquads({ text, hash }) {
    const options = {
      algorithm: "RDFC-1.0", inputFormat: "application/n-quads", format: "application/n-quads",
      messageDigestAlgorithm: hash,
    };
    return { nquads: await rdfCanonize.canonize(text, options) };
  },
  async issue({ suite, curve, credential }) {
    const generator = curve === "Ed25519" ? Ed25519Multikey : EcdsaMultikey;
    const key = await generator.generate({ curve });
    const { publicKeyMultibase } = await key.export({ publicKey: true });
    key.controller = `did:key:${publicKeyMultibase}`;
    key.id = `${key.controller}#${publicKeyMultibase}`;
    const proof = new DataIntegrityProof({ signer: key.signer(), cryptosuite: suites[suite] });
    return { credential: await jsigs.sign(credential, { suite: proof, purpose: purpose(), documentLoader }) };
  },
  async verify({ suite, credential }) {
    const proof = new DataIntegrityProof({ cryptosuite: suites[suite] });
    const result = await jsigs.verify(credential, { suite: proof, purpose: purpose(), documentLoader });
    if (!result.verified) throw new Error(JSON.stringify(result.error?.errors?.map(String)));
    return { verified: true };
  },
};

const answers = [];
for (const step of steps) {
  try {
    answers.push(await operations[step.op](step));
  } catch (error) {
    answers.push({ refused: String(error.details?.event?.code ?? error.message ?? error).slice(0, 300) });
  }
}
process.stdout.write(JSON.stringify(answers));
