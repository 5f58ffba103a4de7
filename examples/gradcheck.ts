// Checks the gradient of your own function: npx tsx examples/gradcheck.ts
import { gradcheck, mul, sigmoid, sum, type Tensor } from "ptdit";

const swishNorm = (x: Tensor, scale: Tensor): Tensor => sum(mul(mul(x, sigmoid(x)), scale), -1);

const result = await gradcheck(swishNorm, [[3, 4], [4]]);
console.log(result.ok ? "gradient agrees" : "gradient is wrong", result);
