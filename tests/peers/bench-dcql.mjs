// Works for a slice when told to: `match <milliseconds>` on standard input, one JSON line for an
// answer. The peer of P12: npm dcql. The first line says which cards and which query.
import { createInterface } from "node:readline";
import { DcqlQuery } from "dcql";

let query;
let credentials;
let wanted;

const prepare = ({ claims, query: asked, of_a_type: ofAType, cards }) => {
  query = DcqlQuery.parse(asked);
  DcqlQuery.validate(query);
  wanted = ofAType;
  credentials = Array.from({ length: cards }, (_, card) => ({
    credential_format: "dc+sd-jwt",
    vct: `urn:vouchsafe:bench:${Math.floor(card / ofAType)}`,
    cryptographic_holder_binding: true,
    claims,
  }));
};

const match = () => {
  const result = DcqlQuery.query(query, credentials);
  const found = result.credential_matches.card.valid_credentials?.length ?? 0;
  if (!result.can_be_satisfied || found !== wanted) throw new Error(`the peer found ${found} cards`);
};

for await (const line of createInterface({ input: process.stdin })) {
  if (query === undefined) {
    prepare(JSON.parse(line));
    continue;
  }
  const end = performance.now() + Number(line.split(" ")[1]);
  const before = process.cpuUsage();
  let count = 0;
  while (performance.now() < end || count === 0) {
    match();
    count += 1;
  }
  const used = process.cpuUsage(before);
  console.log(JSON.stringify({ operations: count, cpu_us: used.user + used.system }));
}
