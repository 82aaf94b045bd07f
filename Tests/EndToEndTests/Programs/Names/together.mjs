// together.mjs COUNT NAME: makes COUNT queries for NAME at once, by node's resolver; prints the number of answers of
// each kind.
import { Resolver } from "node:dns/promises";

const [count, name] = process.argv.slice(2);
const resolver = new Resolver({ timeout: 20000, tries: 1 });
const answers = new Map();
await Promise.all(
  Array.from({ length: Number(count) }, async () => {
    const answer = await resolver.resolve4(name).then(String, (error) => error.code);
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  }),
);
for (const [answer, times] of answers) console.log(times, answer);
