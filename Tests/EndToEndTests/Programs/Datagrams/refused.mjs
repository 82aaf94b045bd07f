// refused.mjs PORT HOST: sends a datagram time and again by a socket that is not connected, since one that does not block
// learns later what became of the first; prints the code of the error, or what came.
import dgram from "node:dgram";
import dns from "node:dns/promises";

const [port, host] = process.argv.slice(2);
const { address, family } = await dns.lookup(host);
const socket = dgram.createSocket(`udp${family}`);
const end = (word) => {
  console.log(word);
  process.exit();
};
socket.on("error", (error) => end(error.code));
socket.on("message", (data) => end(data.toString()));
setInterval(() => socket.send("hello", port, address, (error) => error && end(error.code)), 10);
