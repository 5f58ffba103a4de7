// Patches of pictures as rows, and back: with a matrix product between, that is convolution and its gradients.
import { share, shareEnd, shareStart } from "./threads";

export function unfold(
  y: usize,
  x: usize,
  batch: i32,
  channels: i32,
  height: i32,
  width: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  stride: i32,
  padding: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  const row = (<usize>(channels * kernelHeight * kernelWidth)) << 2;
  share(batch * outHeight * outWidth);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const ox = unit % outWidth,
      oy = (unit / outWidth) % outHeight,
      b = unit / (outWidth * outHeight);
    let to = y + <usize>unit * row;
    for (let c = 0; c < channels; c++) {
      const plane = x + ((<usize>((b * channels + c) * height * width)) << 2);
      for (let ky = 0; ky < kernelHeight; ky++) {
        const py = oy * stride + ky - padding,
          inside = py >= 0 && py < height;
        for (let kx = 0; kx < kernelWidth; kx++, to += 4) {
          const px = ox * stride + kx - padding;
          store<f32>(to, inside && px >= 0 && px < width ? load<f32>(plane + ((<usize>(py * width + px)) << 2)) : 0);
        }
      }
    }
  }
}

/** Every pixel gathers what was copied from it, kernel row by kernel row: no two threads touch one pixel. */
export function fold(
  y: usize,
  x: usize,
  batch: i32,
  channels: i32,
  height: i32,
  width: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  stride: i32,
  padding: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  const row = channels * kernelHeight * kernelWidth;
  share(batch * channels * height);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const py = unit % height,
      c = (unit / height) % channels,
      b = unit / (height * channels);
    for (let px = 0; px < width; px++) {
      let sum: f32 = 0;
      for (let ky = 0; ky < kernelHeight; ky++) {
        const sy = py + padding - ky,
          oy = sy / stride;
        if (sy < 0 || sy % stride != 0 || oy >= outHeight) continue;
        for (let kx = 0; kx < kernelWidth; kx++) {
          const sx = px + padding - kx,
            ox = sx / stride;
          if (sx < 0 || sx % stride != 0 || ox >= outWidth) continue;
          sum += load<f32>(
            x + ((<usize>(((b * outHeight + oy) * outWidth + ox) * row + (c * kernelHeight + ky) * kernelWidth + kx)) << 2),
          );
        }
      }
      store<f32>(y + ((<usize>(unit * width + px)) << 2), sum);
    }
  }
}
