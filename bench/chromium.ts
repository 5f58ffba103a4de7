/** Where Chromium is, and how it is started: headless, with WebGPU, and quiet. */
import { existsSync } from "node:fs";

/** That of the variable CHROMIUM, or one where systems install it. */
export const chromium: string | undefined =
  process.env.CHROMIUM ??
  [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ].find((path) => existsSync(path));

export const chromiumFlags: readonly string[] = [
  "--headless",
  "--no-sandbox",
  // WebGPU on Linux: on a GPU, and on the software driver that comes with Chromium where there is none.
  "--enable-unsafe-webgpu",
  ...(process.platform === "linux" ? ["--use-angle=vulkan", "--enable-features=Vulkan", "--disable-vulkan-surface"] : []),
  // On a software driver a shader may compile for longer than the watchdog lets a GPU be busy.
  "--disable-gpu-watchdog",
  // Nothing that calls out.
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
