fn element(i: i32) {
  let column = i % kernelWidth;
  let row = i / kernelWidth % kernelHeight;
  let channel = i / (kernelWidth * kernelHeight) % channels;
  let cell = i / (kernelWidth * kernelHeight * channels);
  let x = cell % outWidth * stride + column - padding;
  let y = cell / outWidth % outHeight * stride + row - padding;
  let batch = cell / (outWidth * outHeight);
  var value = 0.0;
  if (x >= 0 && x < width && y >= 0 && y < height) { value = read_x(((batch * channels + channel) * height + y) * width + x); }
  write_y(i, value);
}
