/** The page of `Browser`: starts contenders as workers, and carries what they and the bench say to each other. */

import type { Order } from "./browser.js";
import type { Answer } from "./protocol.js";

const workers = new Map<number, Worker>();

const carry = (id: number, answer: Answer) => fetch(`/answer?${id}`, { method: "POST", body: JSON.stringify(answer) });

function start(id: number, script: string): void {
  const worker = new Worker(script, { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Answer>) => carry(id, data);
  worker.onerror = ({ message }) => carry(id, { unsupported: message || "its script did not load" });
  workers.set(id, worker);
}

new EventSource("/orders").onmessage = ({ data }: MessageEvent<string>) => {
  const order: Order = JSON.parse(data);
  if ("start" in order) start(order.id, order.start);
  else if ("request" in order) workers.get(order.id)?.postMessage(order.request);
  else workers.get(order.id)?.terminate();
};
