// Constants of the vector functions. V8 builds a `v128.const` anew in every turn of a loop, so they are read from memory.

/** The table: one vector of equal lanes per constant, in [1024, 8192). */
const TABLE: usize = 1024;

/** Places in the table. */
export const enum Constant {
  Half, One, Two, Sign, Infinity, QuietNaN, OneInteger,
  // exp
  ExpLowest, ExpHighest, Log2E, ExpShift, Ln2High, Ln2Low, ExpP0, ExpP1, ExpP2, ExpP3, ExpP4, ExpM1Highest, ExpM1Shift,
  // decay
  DecayLowest, DecayShift, DecayP1, DecayP2, DecayP3, DecayP4, DecayP5,
  Negligible, Vanishing,
  // log
  Smallest, TwoTo23, TwentyThree, RootHalfBits, LogP0, LogP1, LogP2, LogP3, LogP4, LogP5, LogP6, LogP7, LogP8,
  // tanh
  TanhLimit, TanhP0, TanhP1, TanhP2, TanhP3, TanhP4, TanhP5, TanhP6, TanhQ0, TanhQ1, TanhQ2, TanhQ3,
  // erf
  ErfLimit, ErfP0, ErfP1, ErfP2, ErfP3, ErfP4, ErfP5, ErfP6, ErfQ0, ErfQ1, ErfQ2, ErfQ3, ErfQ4,
  // sin and cos
  SinP0, SinP1, SinP2, CosP0, CosP1, CosP2, HalfPi, TwoOverPi64, HalfPiHigh64, HalfPiLow64, Reducible, Reducible64,
  // activations
  SiluLimit, GeluLimit, GeluErfLimit, GeluLinear, GeluCubic, GeluSlope, GeluCubicSlope, RootHalf, InverseRootTwoPi,
}

/** The constant at a place of the table, in all four lanes. */
// @ts-ignore: decorator
@inline
export function constant(place: Constant): v128 {
  return v128.load(TABLE + (<usize>place << 4));
}

/** Writes the table. Called once, before any kernel runs. */
export function initialiseConstants(): void {
  write(Constant.Half, 0.5);
  write(Constant.One, 1);
  write(Constant.Two, 2);
  write(Constant.Sign, -0.0);
  write(Constant.Infinity, Infinity);
  write(Constant.QuietNaN, NaN);
  writeInteger(Constant.OneInteger, 1);

  // Degree 5 in r = x - n ln 2, after Cephes. At -87.3 the power of two below is 0, at 89 the result overflows.
  write(Constant.ExpLowest, -87.3);
  write(Constant.ExpHighest, 89);
  write(Constant.Log2E, 1.4426950408889634);
  write(Constant.ExpShift, 12582912 + 126);
  write(Constant.Ln2High, -0.693359375);
  write(Constant.Ln2Low, 2.12194440e-4);
  write(Constant.ExpP0, 1.9875691500e-4);
  write(Constant.ExpP1, 1.3981999507e-3);
  write(Constant.ExpP2, 8.3334519073e-3);
  write(Constant.ExpP3, 4.1665795894e-2);
  write(Constant.ExpP4, 1.6666665459e-1);
  write(Constant.ExpM1Highest, 88);
  write(Constant.ExpM1Shift, 12582912 + 127);

  write(Constant.Negligible, 1e-30);
  write(Constant.Vanishing, 5.421010862427522e-20); // 2⁻⁶⁴

  // 2ᶠ - 1 for |f| ≤ ½ to 1e-7 of 2ᶠ, a least-maximum fit with the constant term held at 1.
  write(Constant.DecayLowest, -127);
  write(Constant.DecayShift, 12582912 + 127);
  write(Constant.DecayP1, 0.6931469775976784);
  write(Constant.DecayP2, 0.24022242083111717);
  write(Constant.DecayP3, 0.05550733744471375);
  write(Constant.DecayP4, 0.009671512785781806);
  write(Constant.DecayP5, 0.0013264727252581573);

  // Degree 8 in m - 1, m in [√½, √2), after Cephes.
  write(Constant.Smallest, 1.17549435e-38);
  write(Constant.TwoTo23, 8388608);
  write(Constant.TwentyThree, 23);
  writeInteger(Constant.RootHalfBits, 0x3f3504f3);
  write(Constant.LogP0, 7.0376836292e-2);
  write(Constant.LogP1, -1.1514610310e-1);
  write(Constant.LogP2, 1.1676998740e-1);
  write(Constant.LogP3, -1.2420140846e-1);
  write(Constant.LogP4, 1.4249322787e-1);
  write(Constant.LogP5, -1.6668057665e-1);
  write(Constant.LogP6, 2.0000714765e-1);
  write(Constant.LogP7, -2.4999993993e-1);
  write(Constant.LogP8, 3.3333331174e-1);

  // Odd rational approximation, after Eigen; at 9.1 it reaches 1.
  write(Constant.TanhLimit, 9.5);
  write(Constant.TanhP0, -2.76076847742355e-16);
  write(Constant.TanhP1, 2.00018790482477e-13);
  write(Constant.TanhP2, -8.60467152213735e-11);
  write(Constant.TanhP3, 5.12229709037114e-8);
  write(Constant.TanhP4, 1.48572235717979e-5);
  write(Constant.TanhP5, 6.37261928875436e-4);
  write(Constant.TanhP6, 4.89352455891786e-3);
  write(Constant.TanhQ0, 1.19825839466702e-6);
  write(Constant.TanhQ1, 1.18534705686654e-4);
  write(Constant.TanhQ2, 2.26843463243900e-3);
  write(Constant.TanhQ3, 4.89352518554385e-3);

  // Odd rational approximation on [-4, 4], after Eigen.
  write(Constant.ErfLimit, 4);
  write(Constant.ErfP0, -2.72614225801306e-10);
  write(Constant.ErfP1, 2.77068142495902e-8);
  write(Constant.ErfP2, -2.10102402082508e-6);
  write(Constant.ErfP3, -5.69250639462346e-5);
  write(Constant.ErfP4, -7.34990630326855e-4);
  write(Constant.ErfP5, -2.95459980854025e-3);
  write(Constant.ErfP6, -1.60960333262415e-2);
  write(Constant.ErfQ0, -1.45660718464996e-5);
  write(Constant.ErfQ1, -2.13374055278905e-4);
  write(Constant.ErfQ2, -1.68282697438203e-3);
  write(Constant.ErfQ3, -7.37332916720468e-3);
  write(Constant.ErfQ4, -1.42647390514189e-2);

  // On [-π/4, π/4], after Cephes.
  write(Constant.SinP0, -1.9515295891e-4);
  write(Constant.SinP1, 8.3321608736e-3);
  write(Constant.SinP2, -1.6666654611e-1);
  write(Constant.CosP0, 2.443315711809948e-5);
  write(Constant.CosP1, -1.388731625493765e-3);
  write(Constant.CosP2, 4.166664568298827e-2);
  write(Constant.HalfPi, 1.5707963267948966);
  writeDouble(Constant.TwoOverPi64, 0.6366197723675814);
  writeDouble(Constant.HalfPiHigh64, 1.5707963267341256);
  writeDouble(Constant.HalfPiLow64, 6.077100506506192e-11);
  // Up to here the product of a quadrant and the first part of π/2 is exact.
  write(Constant.Reducible, 1048576);
  writeDouble(Constant.Reducible64, 1048576);

  write(Constant.SiluLimit, 48);
  write(Constant.GeluLimit, 8);
  write(Constant.GeluErfLimit, 14);
  // gelu(x) = x / (1 + exp(x (linear + cubic x²))), and the slope of minus that exponent
  write(Constant.GeluLinear, -1.5957691216057308);
  write(Constant.GeluCubic, -0.07135481627260025);
  write(Constant.GeluSlope, 1.5957691216057308);
  write(Constant.GeluCubicSlope, 0.21406444881780074);
  write(Constant.RootHalf, 0.7071067811865476);
  write(Constant.InverseRootTwoPi, 0.3989422804014327);
}

function write(place: Constant, value: f32): void {
  v128.store(TABLE + (<usize>place << 4), f32x4.splat(value));
}

function writeInteger(place: Constant, value: i32): void {
  v128.store(TABLE + (<usize>place << 4), i32x4.splat(value));
}

function writeDouble(place: Constant, value: f64): void {
  v128.store(TABLE + (<usize>place << 4), f64x2.splat(value));
}
