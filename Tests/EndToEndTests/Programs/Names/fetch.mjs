// fetch.mjs NAME PORT: asks by node's resolver for NAME's addresses, fetches a page from each, and asks by the same for
// the addresses' names.
import http from "node:http";
import { Resolver } from "node:dns/promises";

const [name, port] = process.argv.slice(2);
const resolver = new Resolver();

const fetch = (host) =>
  new Promise((resolve, reject) =>
    http.get({ host, port, agent: false }, (response) => response.resume().on("end", resolve)).on("error", reject),
  );

for (const type of ["A", "AAAA"]) {
  const [address] = await resolver.resolve(name, type);
  await fetch(address);
  console.log(address, ...(await resolver.reverse(address)));
}
