/** Where to go after sign-in: a path of this application, never another site. */
export function safeReturn(wanted: string | null): string {
  if (wanted === null || !wanted.startsWith("/") || /[\\\t\r\n]/.test(wanted)) return "/";
  const url = new URL(wanted, location.origin);
  // Looked at as resolved: `/.//host` is a path of ours, and what is left of it names a host.
  if (url.origin !== location.origin || url.pathname.startsWith("//")) return "/";
  return url.pathname + url.search + url.hash;
}
