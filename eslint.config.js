/** Only what Biome cannot see without types: casts that change nothing. */
import tseslint from "typescript-eslint";

export default tseslint.config({
  files: ["src/**/*.ts", "cli/**/*.ts", "bench/**/*.ts", "scripts/**/*.ts", "test/**/*.ts"],
  ignores: ["**/*.generated.ts"],
  languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  plugins: { "@typescript-eslint": tseslint.plugin },
  rules: { "@typescript-eslint/no-unnecessary-type-assertion": "error" },
});
