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
  // WebGPU on the software driver, where there is no other.
  "--enable-unsafe-webgpu",
  // Nothing that calls out.
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Whether Linux has a GPU, by its device files: the first that renders, or NVIDIA's own. */
const hasGpu = ["/dev/dri/renderD128", "/dev/nvidia0"].some((path) => existsSync(path));

/** What headless Chromium needs on Linux to compute on a GPU. Where there is none it is not said: ANGLE finds no Vulkan driver then, and
 *  Chromium (156) gives up the process that has the software adapter too. */
export const gpuFlags: readonly string[] =
  process.platform === "linux" && hasGpu ? ["--use-angle=vulkan", "--enable-features=Vulkan", "--disable-vulkan-surface"] : [];
