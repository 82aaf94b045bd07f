// refused.mjs PORT HOST: sends datagrams repeatedly on an unconnected socket, because a non-blocking socket learns the
// outcome of the first only later; prints the code of the error, or the answer.
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
