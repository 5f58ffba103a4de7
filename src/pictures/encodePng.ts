import { joined } from "../base/joined.js";
import type { Picture } from "./picture.js";

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const bytesPerPixel = 4;

/** Bytes of a PNG, 8 bits a channel with opacity.
 *  @source PNG specification, third edition, sections 5 and 11 */
export async function encodePng({ width, height, data }: Picture): Promise<Uint8Array> {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  // Eight bits of red, green, blue and opacity.
  header.setUint16(8, 0x08_06);
  const pixels = await deflate(filtered(data, width * bytesPerPixel, height));
  return joined(
    signature,
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("IDAT", pixels),
    chunk("IEND", new Uint8Array()),
  );
}

/** A chunk: length, name, data, checksum of name and data. */
function chunk(name: string, data: Uint8Array): Uint8Array {
  const whole = joined(new Uint8Array(4), new TextEncoder().encode(name), data, new Uint8Array(4));
  const view = new DataView(whole.buffer);
  view.setUint32(0, data.length);
  view.setUint32(whole.length - 4, checksum(whole.subarray(4, -4)));
  return whole;
}

/** Remainders of each byte. */
const remainders = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  return rest;
});

/** @source PNG specification, annex D: CRC-32 */
function checksum(bytes: Uint8Array): number {
  let rest = -1;
  for (const byte of bytes) rest = remainders[(rest ^ byte) & 255] ^ (rest >>> 8);
  return ~rest >>> 0;
}

/** What a byte is expected to be, of the bytes left, above, and left above. Rows say by number which way they take.
 *  @source PNG specification, section 9 */
function predicted(way: number, left: number, up: number, leftUp: number): number {
  switch (way) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    default:
      return nearest(left, up, leftUp);
  }
}
const ways = 5;

/** That neighbour which is nearest to left + up - leftUp. */
function nearest(left: number, up: number, leftUp: number): number {
  const toLeft = Math.abs(up - leftUp);
  const toUp = Math.abs(left - leftUp);
  const toLeftUp = Math.abs(left + up - 2 * leftUp);
  if (toLeft <= toUp && toLeft <= toLeftUp) return left;
  return toUp <= toLeftUp ? up : leftUp;
}

/** Each row as differences from what was predicted, in the way that leaves the least, after that way's number.
 *  @source PNG specification, section 12.7: the least sum of absolute differences */
function filtered(data: Uint8Array, rowBytes: number, rows: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array((1 + rowBytes) * rows);
  // Nothing, which is 0, stands left of a row and above the first.
  const [row, above] = [new Uint8Array(bytesPerPixel + rowBytes), new Uint8Array(bytesPerPixel + rowBytes)];
  const differences = new Uint8Array(rowBytes);
  for (let y = 0; y < rows; y++) {
    above.set(row);
    row.set(data.subarray(y * rowBytes, (y + 1) * rowBytes), bytesPerPixel);
    let least = Number.POSITIVE_INFINITY;
    for (let way = 0; way < ways; way++) {
      let sum = 0;
      for (let i = 0; i < rowBytes; i++) {
        const difference = (row[i + bytesPerPixel] - predicted(way, row[i], above[i + bytesPerPixel], above[i])) & 255;
        differences[i] = difference;
        sum += Math.min(difference, 256 - difference);
      }
      if (sum >= least) continue;
      least = sum;
      result[y * (1 + rowBytes)] = way;
      result.set(differences, y * (1 + rowBytes) + 1);
    }
  }
  return result;
}

/** Packed as zlib does: by the runtime, which every one has since 2023. */
async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
