import js from "@eslint/js";
import i18next from "eslint-plugin-i18next";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// What puts a <style> into the page, which its policy does not allow. `parts/Columns`, `Group`, `Stack` and `useScheme` do instead.
const STYLED = ["AppShell", "Grid", "SimpleGrid", "Flex", "useMantineColorScheme"];

export default tseslint.config(
  { ignores: ["node_modules", "src/api/schema.d.ts", "public"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Handlers of React take promises; what fails is shown by the mutation's own state.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/consistent-type-definitions": "off",
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_" }],
    },
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    extends: [reactHooks.configs.flat["recommended-latest"], jsxA11y.flatConfigs.strict],
    plugins: { i18next },
    rules: {
      // TanStack's tables and virtual lists keep their own state, which the compiler's rule reports.
      "react-hooks/incompatible-library": "off",
      "i18next/no-literal-string": [
        "error",
        {
          mode: "jsx-only",
          callees: { exclude: [".*"] },
          "jsx-attributes": { include: ["label", "title", "placeholder", "description", "aria-label", "alt", "todo", "summary"] },
          "jsx-components": { exclude: ["Trans", "Code"] },
          words: { exclude: ["[^A-Za-zÀ-ÿ]*", "Atoll", "SQL", "CSV", "YAML", "JSON"] },
        },
      ],
      "no-restricted-imports": [
        "error",
        {
          paths: [
            { name: "@mantine/core", importNames: STYLED, message: "It puts a <style> into the page. See web/README.md." },
          ],
          patterns: [{ group: ["@mantine/charts", "@xyflow/*", "recharts"], message: "Import parts/Chart or parts/Graph." }],
        },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute[name.name=/^(w|h|p|px|py|pt|pb|m|mx|my|mt|mb|fz|display|hiddenFrom|visibleFrom)$/] > JSXExpressionContainer > ObjectExpression",
          message: "Responsive style props put a <style> into the page. Use a CSS module.",
        },
        { selector: "JSXAttribute[name.name=/^(hiddenFrom|visibleFrom)$/]", message: "Use a CSS module with a media query." },
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "What others wrote is never markup." },
      ],
    },
  },
  { files: ["src/app/scheme.ts"], rules: { "no-restricted-imports": "off" } },
  { files: ["src/parts/Chart/**", "src/parts/Graph/**"], rules: { "no-restricted-imports": "off" } },
);
