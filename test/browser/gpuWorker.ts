import { gpuWork } from "./gpuWork.js";

postMessage(await gpuWork().catch((error: Error) => ({ error: `${error.name}: ${error.message}` })));
