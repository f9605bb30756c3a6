/** The words of the API's checks that this page can put in one's language; a check that is newer is told by its word. */
const CHECKS = [
  "type_not_allowed", "type_mismatch", "unreadable", "too_large", "pickle", "executable", "archive_bomb", "archive_path", "nested_archive",
  "hidden_archive", "trailing_bytes", "macros", "hidden_sheet", "hidden_text", "pivot_cache", "external_link", "active_content", "script",
  "embedded_file", "embedded_data", "encrypted", "comments", "metadata", "earlier_content", "notebook_outputs", "small_cells", "small_numbers",
  "row_level", "many_rows", "identifier", "pseudonym", "identifier_column", "likely_identifier", "dates", "difference", "released_before",
  "virus", "not_scanned", "contents",
] as const;

export function checkOf(check: string): (typeof CHECKS)[number] | undefined {
  return CHECKS.find((one) => one === check);
}
