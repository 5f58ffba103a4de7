/** What a peer needs of a worker of the page that `bench/browser.ts` opens; see `nodeHost.mjs`. */

export const words = location.search.slice(1).split("&");
export const say = (answer) => postMessage(answer);
export async function* requests() {
  // The next question comes after the answer to the last.
  for (;;) {
    yield await new Promise((resolve) => addEventListener("message", ({ data }) => resolve(data), { once: true }));
  }
}
export const end = () => close();
export const readFixture = async () => new Uint8Array(await (await fetch("/fixture")).arrayBuffer());
export const installWorkers = () => navigator.hardwareConcurrency;
