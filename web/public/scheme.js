// Before the first paint: the colour scheme and the language that were chosen here, so that nothing flashes.
(function () {
  var root = document.documentElement;
  var scheme = "auto";
  try {
    scheme = localStorage.getItem("atoll-scheme") || "auto";
    var language = localStorage.getItem("atoll-language");
    if (language) root.lang = language;
  } catch (blocked) {
    scheme = "auto";
  }
  if (scheme !== "light" && scheme !== "dark") {
    scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  root.setAttribute("data-mantine-color-scheme", scheme);
})();
