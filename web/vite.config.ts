import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { policy } from "./build/csp";
import { themeCss } from "./build/theme-css";

/** `vite build --mode gallery`: every part on one page, for the tests (tests/web/test_parts.py), never served. */
const GALLERY = { root: "gallery", publicDir: "../public" };

/** `vite build --mode stream`: the page of streamed screens, which the machines' proxy serves (atoll/proxy). */
const STREAM = { root: "stream", base: "./", publicDir: false as const };

export default defineConfig(({ mode }) => ({
  ...(mode === "gallery" ? GALLERY : mode === "stream" ? STREAM : {}),
  // The proxy's own policy is stricter than that of the application.
  plugins: mode === "stream" ? [] : [react(), themeCss(), policy()],
  build: {
    // Where the API finds it, and packaging takes it from.
    outDir: process.env.WEB_OUT ?? (mode === "stream" ? "../../src/atoll/proxy/page" : "../src/atoll/api/static"),
    emptyOutDir: true,
    manifest: true,
    // A data: URL would need a wider policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
  },
  server: {
    port: 5173,
    // The platform that `npm run dev` works on; cookies and the CSRF check want one origin.
    proxy: {
      "/api": { target: process.env.ATOLL_URL ?? "http://127.0.0.1:8470", headers: {} },
    },
  },
}));
