// ask.mjs SERVER: makes the queries of ask.bash by node's resolver, c-ares.
import { Resolver } from "node:dns/promises";

const resolver = new Resolver();
resolver.setServers([process.argv[2]]);

async function ask(name, type) {
  try {
    return await resolver.resolve(name, type);
  } catch (error) {
    return [error.code];
  }
}

const text = (record) => (record.exchange ? `${record.priority} ${record.exchange}` : String(record));
for (const [name, type] of [
  ["web.test", "A"],
  ["web.test", "AAAA"],
  ["web.test", "MX"],
  ["web.test", "TXT"],
  ["11.113.0.203.in-addr.arpa", "PTR"],
  ["none.test", "A"],
]) {
  console.log(type, ...(await ask(name, type)).map(text));
}
const texts = (await ask("big.test", "TXT")).map(String).filter((each) => each.includes("x"));
console.log("TXT", texts.length, texts.join("").length);
