// Works for a slice when told to: `<operation> <milliseconds>` on standard
// input, one JSON line for an answer. The peers of P8: @mattrglobal/pairing-crypto
// (Rust compiled to WASM) and @digitalbazaar/bbs-signatures (JavaScript), ten
// messages of which three are disclosed.
import { createInterface } from "node:readline";
import * as js from "@digitalbazaar/bbs-signatures";
import mattr from "@mattrglobal/pairing-crypto";

const wasm = mattr.bbs.bls12381_sha256;
const bytes = (text) => new TextEncoder().encode(text);
const messages = Array.from({ length: 10 }, (_, index) =>
  bytes(`_:b${index} <https://example.org/vocabulary#property> "the value number ${index}" .\n`));
const header = bytes("a header of 64 bytes: two hashes of SHA-256, one after the other");
const presentationHeader = bytes("presentation");
const indexes = [0, 1, 2];

const wasmKey = await wasm.generateKeyPair();
const signature = await wasm.sign({ ...wasmKey, header, messages });
const wasmProve = () => wasm.deriveProof({
  publicKey: wasmKey.publicKey, header, presentationHeader, signature, verifySignature: false,
  messages: messages.map((value, index) => ({ value, reveal: indexes.includes(index) })),
});
const wasmProof = await wasmProve();
const wasmVerify = async () => {
  const disclosed = Object.fromEntries(indexes.map((index) => [index, messages[index]]));
  const { verified } = await wasm.verifyProof({
    publicKey: wasmKey.publicKey, header, presentationHeader, proof: wasmProof, messages: disclosed,
  });
  if (!verified) throw new Error("the peer refused its own proof");
};

const ciphersuite = "BLS12-381-SHA-256";
const jsKey = { publicKey: new Uint8Array(wasmKey.publicKey), signature: new Uint8Array(signature) };
const jsProve = () => js.deriveProof({
  ...jsKey, header, messages, presentationHeader, disclosedMessageIndexes: indexes, ciphersuite,
});
const jsProof = await jsProve();
const jsVerify = async () => {
  const verified = await js.verifyProof({
    publicKey: jsKey.publicKey, proof: jsProof, header, presentationHeader,
    disclosedMessages: indexes.map((index) => messages[index]), disclosedMessageIndexes: indexes, ciphersuite,
  });
  if (!verified) throw new Error("the peer refused its own proof");
};

const operations = { wasmProve, wasmVerify, jsProve, jsVerify };
for (const operation of Object.values(operations)) await operation();
for await (const line of createInterface({ input: process.stdin })) {
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
