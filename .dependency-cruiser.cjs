/** The floors: imports point down only, and never in a circle. */
const floors = ["base", "backend", "autograd", "nn", "io", "data", "ptdit"];
const above = (floor) => floors.slice(floors.indexOf(floor) + 1);
// Data sets and files stand beside the layers: neither knows the other.
const barred = {
  io: ["nn", "autograd", "backend", "data", "ptdit"],
  data: ["nn", "autograd", "backend", "ptdit"],
  nn: ["io", "data", "ptdit"],
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
      to: { path: "^(cli|web|examples|test|scripts)/" },
    },
    ...floors.map((floor) => ({
      name: `floor-${floor}`,
      severity: "error",
      from: { path: `^src/${floor}/` },
      to: { path: `^src/(${(barred[floor] ?? above(floor)).join("|") || "nothing"})/` },
    })),
    {
      name: "no-runtime-dependencies",
      comment: "The library is embedded in edge apps; pngjs is loaded only where pictures are read.",
      severity: "error",
      from: { path: "^src/(base|backend|autograd|nn)/" },
      to: { dependencyTypes: ["npm", "npm-dev", "npm-optional"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    exclude: { path: "\\.generated\\.ts$" },
  },
};
