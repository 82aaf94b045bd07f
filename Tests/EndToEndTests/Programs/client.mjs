// Asks for each URL by node's http module and by fetch; an error is printed by its code.
import http from "node:http";

const get = (url) =>
  new Promise((resolve, reject) =>
    http
      .get(url, { agent: false }, (response) => {
        let text = "";
        response.on("data", (part) => (text += part));
        response.on("end", () => resolve(text));
      })
      .on("error", reject),
  );

for (const url of process.argv.slice(2)) {
  try {
    process.stdout.write(await get(url));
    process.stdout.write(await (await fetch(url)).text());
  } catch (error) {
    console.log(error.code ?? error.cause?.code ?? String(error));
    process.exitCode = 1;
  }
}
