/** The floors: imports point down only, and never in a circle. */
const floors = ["base", "backend", "autograd", "program", "nn", "io", "pictures", "data", "ptdit", "node"];
const above = (floor) => floors.slice(floors.indexOf(floor) + 1);
// Bytes, pictures and data sets stand beside the layers: neither knows the other.
const engine = ["backend", "autograd", "program", "nn"];
const barred = {
  nn: ["io", "pictures", "data", "ptdit", "node"],
  io: [...engine, "pictures", "data", "ptdit", "node"],
  pictures: [...engine, "data", "ptdit", "node"],
  data: [...engine, "ptdit", "node"],
};

module.exports = {
  forbidden: [
    {
      name: "no-circles",
      comment: "Gradient rules are made of ops: that of broadcasting is a sum, that of a sum broadcasts.",
      severity: "error",
      from: { pathNot: "^src/autograd/ops/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "library-below-people",
      severity: "error",
      from: { path: "^src" },
      to: { path: "^(bench|cli|web|examples|test|scripts)/" },
    },
    ...floors.map((floor) => ({
      name: `floor-${floor}`,
      severity: "error",
      from: { path: `^src/${floor}/` },
      // The sources know Node's runtime by this name; bundles for browsers have another (package.json, `imports`).
      to: { path: `^src/(${(barred[floor] ?? above(floor)).join("|") || "nothing"})/`, pathNot: "^src/node/runtime\\.ts$" },
    })),
    {
      name: "no-runtime-dependencies",
      comment: "The library is embedded in edge apps; pngjs is loaded only where pictures are read.",
      severity: "error",
      from: { path: "^src/(base|backend|autograd|program|nn)/" },
      to: { dependencyTypes: ["npm", "npm-dev", "npm-optional"] },
    },
    {
      name: "node-apart",
      comment: "Everything outside src/node, the commands and their benchmarks bundles for a browser as it is.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/node/" },
      to: { dependencyTypes: ["core"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    exclude: { path: "\\.generated\\.ts$" },
  },
};
