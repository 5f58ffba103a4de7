export { FeatureNet, featureCount, featureNetOf, featureSide } from "./featureNet.js";
export { featuresOf } from "./featuresOf.js";
export { type Kid, type KidOptions, kid } from "./kid.js";
export { type Novelty, novelty, type Print } from "./novelty.js";
export { kidOfSamples, type Quality, quality } from "./quality.js";
