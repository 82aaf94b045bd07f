// fetch.mjs NAME PORT: looks up NAME's addresses by node's resolver, fetches a page from each, and looks up the names
// of the addresses.
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
