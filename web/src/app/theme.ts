/**
 * Every design token: colours, type, spacing. Nothing else in web/ names a colour.
 *
 * Contrast is at least AA in both schemes: shade 7 of each colour carries white text (5:1 and more), shade 8 is text
 * on shade 1, shade 3 is text on the dark surfaces. tests/web runs axe over every page in both schemes.
 */
import { createTheme, defaultCssVariablesResolver, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const COLORS = {
  lagoon: ["#e7fcff", "#d1f6fa", "#afeaf1", "#85d9e2", "#57c2cd", "#1ba8b5", "#0f8c97", "#04717a", "#005b63", "#03464c"],
  red: ["#fff5f4", "#ffe8e5", "#ffd2cd", "#ffb2ab", "#fd8981", "#f45a56", "#d53c3d", "#b32228", "#94141c", "#730f15"],
  green: ["#ebfdf0", "#d7f7e1", "#b9edca", "#95dcad", "#6ec58f", "#46ac71", "#269258", "#007742", "#056035", "#014a28"],
  yellow: ["#fff6ea", "#ffebd0", "#fad8a9", "#eec080", "#dba454", "#c38824", "#a56f04", "#855907", "#6c4703", "#543600"],
  blue: ["#f3f8ff", "#e3efff", "#c9e0ff", "#a5ccff", "#76b2ff", "#4f97ef", "#357cd2", "#1e63b2", "#124f93", "#0d3d72"],
  violet: ["#f8f6ff", "#efebff", "#e0d8ff", "#cdbefe", "#b69dfc", "#9d80e7", "#8466ca", "#6b4eab", "#563d8d", "#422f6d"],
  orange: ["#fff5f0", "#ffe9dd", "#fed4bd", "#feb68e", "#f3945d", "#dc7533", "#bf5b0d", "#9b4805", "#7f3901", "#622b02"],
  gray: ["#f7fbfc", "#f2f5f6", "#e8eced", "#dde0e2", "#cbced0", "#a5a8a9", "#7e8182", "#5b5e5f", "#3e4041", "#242728"],
  dark: ["#d7e0e3", "#b7bfc3", "#9ea6a9", "#6f7679", "#484e51", "#383e41", "#262c2f", "#171d1f", "#0f1517", "#090e11"],
} satisfies Record<string, MantineColorsTuple>;

/** Colours with a meaning; see `parts/StateBadge`. */
export const TONES = { good: "green", busy: "blue", idle: "gray", wait: "yellow", bad: "red", special: "violet" } as const;
export type Tone = keyof typeof TONES;

/** For series of charts, in order: distinct without colour vision too when drawn with the table beside. */
export const SERIES = ["lagoon.6", "orange.5", "violet.5", "yellow.5", "blue.5", "green.6", "red.5", "gray.6"] as const;

// Locking the scroll puts a <style> into the page. A dialog's <header> would be a second banner.
const DIALOG = { defaultProps: { lockScroll: false, attributes: { header: { role: "presentation" } } } };

export const theme = createTheme({
  colors: COLORS,
  primaryColor: "lagoon",
  primaryShade: { light: 7, dark: 7 },
  white: "#ffffff",
  black: "#16202a",
  defaultRadius: "md",
  fontFamily: '"IBM Plex Sans", system-ui, sans-serif',
  fontFamilyMonospace: '"IBM Plex Mono", ui-monospace, monospace',
  headings: {
    fontFamily: '"IBM Plex Sans", system-ui, sans-serif',
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.625rem", lineHeight: "1.25" },
      h2: { fontSize: "1.1875rem", lineHeight: "1.3" },
      h3: { fontSize: "1rem", lineHeight: "1.4" },
    },
  },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Modal: DIALOG,
    ModalRoot: DIALOG,
    Drawer: DIALOG,
    DrawerRoot: DIALOG,
    Spotlight: DIALOG,
    SpotlightRoot: DIALOG,
    // Its place for the first focus is no child that a menu may have.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300, events: { hover: true, focus: true, touch: true } } },
    Card: { defaultProps: { withBorder: true, padding: "lg", bg: "var(--atoll-surface)" } },
  },
});

const FOR_ALL = Object.keys(COLORS).filter((name) => name !== "dark");
const shade = (name: string, number: number) => `var(--mantine-color-${name}-${number})`;

function tinted(scheme: "light" | "dark"): Record<string, string> {
  const light = scheme === "light";
  return Object.fromEntries(
    FOR_ALL.flatMap((name) => {
      const dark = (part: number) => `color-mix(in srgb, ${shade(name, 5)} ${part}%, ${shade("dark", 6)})`;
      return [
        ["text", shade(name, light ? 7 : 3)],
        ["filled", shade(name, 7)],
        ["filled-hover", shade(name, 8)],
        ["light", light ? shade(name, 1) : dark(16)],
        ["light-hover", light ? shade(name, 2) : dark(24)],
        ["light-color", shade(name, light ? 8 : 2)],
        ["outline", shade(name, light ? 7 : 3)],
      ].map(([part, value]) => [`--mantine-color-${name}-${part ?? ""}`, value ?? ""]);
    }),
  );
}

/** Mantine's variables with contrast, and Atoll's own (`--atoll-...`). */
export const variables: CSSVariablesResolver = (whole) => {
  const made = defaultCssVariablesResolver(whole);
  Object.assign(made.light, tinted("light"), {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-dimmed": shade("gray", 7),
    "--mantine-color-placeholder": shade("gray", 7),
    "--mantine-color-error": shade("red", 7),
    "--mantine-color-success": shade("green", 7),
    "--mantine-color-default-border": shade("gray", 4),
    "--atoll-ground": shade("gray", 0),
    "--atoll-surface": "#ffffff",
    "--atoll-line": shade("gray", 3),
    "--atoll-bar": "#ffffff",
  });
  Object.assign(made.dark, tinted("dark"), {
    "--mantine-color-body": shade("dark", 7),
    "--mantine-color-dimmed": shade("dark", 1),
    "--mantine-color-placeholder": shade("dark", 2),
    "--mantine-color-error": shade("red", 3),
    "--mantine-color-success": shade("green", 3),
    "--mantine-color-anchor": shade("lagoon", 3),
    "--atoll-ground": shade("dark", 8),
    "--atoll-surface": shade("dark", 7),
    "--atoll-line": shade("dark", 5),
    "--atoll-bar": shade("dark", 7),
  });
  return made;
};
