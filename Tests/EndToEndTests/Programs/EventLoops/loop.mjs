// See exchange.h: the same with node's sockets.
import net from "node:net";

const limit = Number(process.env.LIMIT ?? 30000);
const ticks = Number(process.env.TICKS ?? 0);
const tick = 10;

const exchange = ([host, port]) =>
  new Promise((resolve) => {
    let text = "";
    const socket = net.connect({ host, port });
    socket.setTimeout(limit, () => socket.destroy(new Error("socket timeout")));
    socket.on("connect", () => socket.setTimeout(0));
    socket.on("data", (part) => (text += part));
    socket.on("error", (error) => (text = (error.code ?? error.message) + "\n"));
    socket.on("close", () => resolve(text));
    socket.end(host + "\n");
  });

const targets = [];
for (let index = 2; index < process.argv.length; index += 2) targets.push(process.argv.slice(index, index + 2));
const late = ticks ? 2 : 0;
const exchanges = targets.slice(0, targets.length - late).map(exchange);
let longest = 0;
for (const target of targets.slice(targets.length - late)) {
  for (let number = 0; number < ticks; number++) {
    const before = performance.now();
    await new Promise((resolve) => setTimeout(resolve, tick));
    longest = Math.max(longest, performance.now() - before - tick);
  }
  exchanges.push(exchange(target));
}
for (const one of exchanges) process.stdout.write(await one);
if (ticks) console.error(`held up for ${longest.toFixed(1)} ms at most`);
