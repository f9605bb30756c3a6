/**
 * The theme's variables and Mantine's classes for light and dark, as a stylesheet made at build: the page
 * allows no <style>, in which Mantine would otherwise put them.
 */
import { convertCssVariables, mergeMantineTheme, DEFAULT_THEME } from "@mantine/core";
import type { Plugin } from "vite";
import { theme, variables } from "../src/app/theme";

const NAME = "virtual:theme.css";

export function themeStyles(): string {
  const whole = mergeMantineTheme(DEFAULT_THEME, theme);
  const css = convertCssVariables(variables(whole), ":root");
  const schemes = ["light", "dark"]
    .map(
      (scheme) =>
        `:root[data-mantine-color-scheme="${scheme}"]{color-scheme:${scheme}}` +
        `[data-mantine-color-scheme="${scheme}"] .mantine-${scheme}-hidden{display:none}`,
    )
    .join("");
  return css + schemes;
}

export function themeCss(): Plugin {
  return {
    name: "atoll-theme-css",
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    load: (id) => (id === `\0${NAME}` ? themeStyles() : null),
  };
}
