/** A worker that the bench's tests ask: it says which it is, and does as it is told. */
import type { Answer, Request } from "../../bench/protocol.js";

const [peer, does] = location.search.slice(1).split("&");
if (does === "throws") throw new Error("it throws as it starts");

const answerOf = async (request: Request): Promise<Answer> => {
  if ("check" in request) return { check: { worst: (await (await fetch("/fixture")).arrayBuffer()).byteLength } };
  if ("run" in request) return { times: Array.from({ length: request.run }, () => 1) };
  return { unsupported: Object.keys(request).join() };
};

addEventListener("message", async ({ data }: MessageEvent<Request>) => {
  if ("overhead" in data) return; // It is asked in vain.
  postMessage(await answerOf(data));
});
postMessage(does === "refuses" ? { missing: "it does not like it here" } : { ready: true, peer, version: "1", threads: 1 });
