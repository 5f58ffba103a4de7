// What the instructions of fused kernels compute. Gradients are bounded where they have reached their limit: ∞·0 would be NaN.

fn op_copy(a: f32) -> f32 { return a; }
fn op_neg(a: f32) -> f32 { return -a; }
fn op_abs(a: f32) -> f32 { return abs(a); }
fn op_sign(a: f32) -> f32 { return sign(a); }
fn op_floor(a: f32) -> f32 { return floor(a); }
fn op_sqrt(a: f32) -> f32 { return sqrt(a); }
fn op_reciprocal(a: f32) -> f32 { return 1.0 / a; }
fn op_square(a: f32) -> f32 { return a * a; }
fn op_exp(a: f32) -> f32 { return exact_exp(a); }
fn op_expm1(a: f32) -> f32 { return exact_expm1(a); }
fn op_log(a: f32) -> f32 { return exact_log(a); }
fn op_sin(a: f32) -> f32 { return circle_of(a).y; }
fn op_cos(a: f32) -> f32 { return circle_of(a).x; }
fn op_tanh(a: f32) -> f32 { return exact_tanh(a); }
fn op_sigmoid(a: f32) -> f32 { return 1.0 / (1.0 + exact_exp(-a)); }
fn op_erf(a: f32) -> f32 { return exact_erf(a); }

/// ½x (1 + tanh u) as x·σ(2u): no difference of nearly equal numbers. It and its slope are 0 where they are below 1e-19.
fn op_gelu(a: f32) -> f32 {
  let x = bounded(a, -8.0, 8.0);
  return select(a, 0.0, a < -8.0) / (1.0 + exact_exp(x * (-0.07135481627260025 * (x * x) - 1.5957691216057308)));
}

fn op_geluGrad(a: f32) -> f32 {
  let x = bounded(a, -8.0, 8.0);
  let power = exact_exp(x * (-0.07135481627260025 * (x * x) - 1.5957691216057308));
  let s = 1.0 / (1.0 + power);
  return select(s * ((x * (0.21406444881780074 * (x * x) + 1.5957691216057308)) * (power * s) + 1.0), 0.0, a < -8.0);
}

fn op_geluErf(a: f32) -> f32 {
  let half = 0.5 * select(a, -14.0, a < -14.0);
  return half * exact_erf(a * 0.7071067811865476) + half;
}

fn op_geluErfGrad(a: f32) -> f32 {
  let x = bounded(a, -14.0, 14.0);
  let cdf = 0.5 * exact_erf(x * 0.7071067811865476) + 0.5;
  return x * (exact_exp(-0.5 * x * x) * 0.3989422804014327) + cdf;
}

/// As GELU, 0 where it is below 1e-19.
fn op_silu(a: f32) -> f32 { return select(a, 0.0, a < -48.0) / (1.0 + exact_exp(-a)); }

fn op_siluGrad(a: f32) -> f32 {
  let x = bounded(a, -48.0, 48.0);
  let power = exact_exp(-x);
  let s = 1.0 / (1.0 + power);
  return select(s * (x * (power * s) + 1.0), 0.0, a < -48.0);
}

/// ln(1 + eᵃ) = ln(1 + u) + max(a, 0) with u = e^-|a|; what rounding takes from 1 + u, the quotient gives back.
fn op_softplus(a: f32) -> f32 {
  let u = exact_exp(-abs(a));
  let sum = 1.0 + u;
  let rest = sum - 1.0;
  return select(exact_log(sum) * (u / select(rest, 1.0, rest == 0.0)), u, rest == 0.0) + max(a, 0.0);
}

fn op_add(a: f32, b: f32) -> f32 { return a + b; }
fn op_sub(a: f32, b: f32) -> f32 { return a - b; }
fn op_mul(a: f32, b: f32) -> f32 { return a * b; }
fn op_div(a: f32, b: f32) -> f32 { return a / b; }
fn op_mulOrZero(a: f32, b: f32) -> f32 { return select(a * b, 0.0, a == 0.0 || b == 0.0); }
fn op_divOrZero(a: f32, b: f32) -> f32 { return select(a / b, 0.0, a == 0.0); }
fn op_min(a: f32, b: f32) -> f32 { return min(a, b); }
fn op_max(a: f32, b: f32) -> f32 { return max(a, b); }
fn op_greater(a: f32, b: f32) -> f32 { return select(0.0, 1.0, a > b); }
fn op_greaterEqual(a: f32, b: f32) -> f32 { return select(0.0, 1.0, a >= b); }
fn op_equal(a: f32, b: f32) -> f32 { return select(0.0, 1.0, a == b); }

fn op_mulAdd(a: f32, b: f32, c: f32) -> f32 { return a * b + c; }
fn op_mulOrZeroAdd(a: f32, b: f32, c: f32) -> f32 { return select(a * b + c, c, a == 0.0 || b == 0.0); }
fn op_select(a: f32, b: f32, c: f32) -> f32 { return select(c, b, a != 0.0); }
