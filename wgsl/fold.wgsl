// Every pixel sums the patch entries that stand for it.
fn element(i: i32) {
  let x = i % width + padding;
  let y = i / width % height + padding;
  let channel = i / (width * height) % channels;
  let batch = i / (width * height * channels);
  var sum = 0.0;
  for (var row = y % stride; row < kernelHeight; row += stride) {
    for (var column = x % stride; column < kernelWidth; column += stride) {
      // Below 0 a division would round towards 0.
      if (row > y || column > x) { continue; }
      let patchY = (y - row) / stride;
      let patchX = (x - column) / stride;
      if (patchY < outHeight && patchX < outWidth) {
        let cell = (batch * outHeight + patchY) * outWidth + patchX;
        sum += read_x(((cell * channels + channel) * kernelHeight + row) * kernelWidth + column);
      }
    }
  }
  write_y(i, sum);
}
