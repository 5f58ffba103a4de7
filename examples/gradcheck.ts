// Checks the gradient of your own function, and the gradient of that: npx tsx examples/gradcheck.ts
import { gradcheck, mul, sigmoid, sum, type Tensor } from "ptdit";

const swishNorm = (x: Tensor, scale: Tensor): Tensor => sum(mul(mul(x, sigmoid(x)), scale), -1);

const result = await gradcheck(swishNorm, [[3, 4], [4]], { relative: 1e-6, order: 2 });
console.log(result.ok ? "gradient agrees" : "gradient is wrong", result);
if (result.unresolved > 0) console.log(`${result.unresolved} elements are too near to 0 to be told from it`);
