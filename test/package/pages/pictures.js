/** A PNG written without a package, read back by the browser; a curve, and letters. */
import { blank, decodePicture, drawText, encodePng, fontFor, lossCurve, smallFont } from "ptdit/pictures";

globalThis.found.pictures = (async () => {
  const picture = blank(30, 12, [200, 100, 50, 255]);
  drawText(picture, "hello", 1, 1, [0, 0, 0, 255]);
  const read = await decodePicture(await encodePng(picture), "own.png");
  const curve = await decodePicture(
    await lossCurve(
      [
        { x: 1, y: 2 },
        { x: 2, y: 1 },
      ],
      { width: 200, height: 100 },
    ),
    "curve.png",
  );
  return {
    same: read.data.every((value, i) => value === picture.data[i]),
    size: [read.width, read.height, curve.width, curve.height],
    letters: new Set(picture.data).size > 4,
    font: (await fontFor(["红"])) === smallFont,
  };
})();
