/**
 * The policy in the page itself, for buckets that send no headers. `frame-ancestors` only counts as a header;
 * the API sends the same policy with it (`src/atoll/api/web.py`).
 */
import type { Plugin } from "vite";

export const POLICY = [
  "default-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
].join("; ");

export function policy(): Plugin {
  return {
    name: "atoll-policy",
    apply: "build",
    transformIndexHtml: () => [
      { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY }, injectTo: "head-prepend" },
    ],
  };
}
