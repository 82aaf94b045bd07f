// exchange.mjs PORT HOST...: sends datagrams to each HOST by an unconnected socket and by a connected one, and checks
// the answers and their sources. First several sizes one by one, then several datagrams at once. Prints for each socket
// the number of answers, and their bytes. The other programs of this name do the same in their languages.
import dgram from "node:dgram";
import dns from "node:dns/promises";
import { once } from "node:events";
import { promisify } from "node:util";

const [port, ...hosts] = process.argv.slice(2);
const sizes = [0, 1, 1200, 9000];
const together = 20;

async function exchange(host, isConnected) {
  const { address, family } = await dns.lookup(host);
  const socket = dgram.createSocket(`udp${family}`);
  if (isConnected) await promisify(socket.connect.bind(socket))(port, host);
  const send = (data) => (isConnected ? socket.send(data) : socket.send(data, port, host));
  let [count, bytes] = [0, 0];
  const check = (data, source, expected) => {
    if (source.address !== address || source.port !== Number(port)) throw new Error(`from ${JSON.stringify(source)}`);
    if (!expected.delete(data.toString())) throw new Error(`${data.length} bytes that were not sent`);
    count += 1;
    bytes += data.length;
  };
  for (const size of sizes) {
    const data = "s".repeat(size);
    send(data);
    check(...(await once(socket, "message")), new Set([data]));
  }
  const expected = new Set(Array.from({ length: together }, (_, number) => String(number).padEnd(500, "t")));
  const all = new Promise((resolve, reject) => {
    socket.on("message", (data, source) => {
      try {
        check(data, source, expected);
      } catch (error) {
        reject(error);
      }
      if (expected.size === 0) resolve();
    });
  });
  for (const data of expected) send(data);
  await all;
  socket.close();
  console.log(host, count, bytes);
}

for (const host of hosts) {
  await exchange(host, false);
  await exchange(host, true);
}
