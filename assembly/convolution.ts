// Pictures as rows of patches, and back: convolutions are matmuls of these.
import { share, shareEnd, shareStart } from "./threads";

/** The work is split by patches. */
export function unfold(
  y: usize, x: usize, batch: i32, channels: i32, height: i32, width: i32, kernelHeight: i32, kernelWidth: i32,
  stride: i32, padding: i32, outHeight: i32, outWidth: i32,
): void {
  const patches = outHeight * outWidth, patchBytes = <usize>(channels * kernelHeight * kernelWidth) << 2;
  share(batch * patches);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const picture = unit / patches, patch = unit - picture * patches, outRow = patch / outWidth;
    const top = outRow * stride - padding, left = (patch - outRow * outWidth) * stride - padding;
    let to = y + <usize>unit * patchBytes;
    for (let channel = 0; channel < channels; channel++) {
      const plane = (picture * channels + channel) * height;
      for (let row = top; row < top + kernelHeight; row++) {
        const inside = <u32>row < <u32>height, from = x + (<usize>((plane + row) * width) << 2);
        for (let column = left; column < left + kernelWidth; column++) {
          store<f32>(to, inside && <u32>column < <u32>width ? load<f32>(from + (<usize>column << 2)) : 0);
          to += 4;
        }
      }
    }
  }
}

/** The work is split by rows of pixels: a pixel gathers the patch entries that were copied from it. */
export function fold(
  y: usize, x: usize, batch: i32, channels: i32, height: i32, width: i32, kernelHeight: i32, kernelWidth: i32,
  stride: i32, padding: i32, outHeight: i32, outWidth: i32,
): void {
  const patchFloats = channels * kernelHeight * kernelWidth;
  share(batch * channels * height);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const plane = unit / height, row = unit - plane * height + padding;
    const picture = plane / channels, channel = plane - picture * channels;
    for (let pixel = 0; pixel < width; pixel++) {
      const column = pixel + padding;
      let sum: f32 = 0;
      const lastRow = min(outHeight - 1, row / stride), lastColumn = min(outWidth - 1, column / stride);
      for (let outRow = firstPatch(row, kernelHeight, stride); outRow <= lastRow; outRow++) {
        for (let outColumn = firstPatch(column, kernelWidth, stride); outColumn <= lastColumn; outColumn++) {
          const patch = (picture * outHeight + outRow) * outWidth + outColumn;
          const entry = (channel * kernelHeight + row - outRow * stride) * kernelWidth + column - outColumn * stride;
          sum += load<f32>(x + (<usize>(patch * patchFloats + entry) << 2));
        }
      }
      store<f32>(y + (<usize>(unit * width + pixel) << 2), sum);
    }
  }
}

/** First patch along an axis that reaches this place of the padded picture. */
// @ts-ignore: decorator
@inline
function firstPatch(place: i32, kernel: i32, stride: i32): i32 {
  return place < kernel ? 0 : (place - kernel) / stride + 1;
}
