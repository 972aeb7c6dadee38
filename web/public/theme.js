// Runs before the first paint, so that a dark page never flashes white. A file of its own, because the
// Content-Security-Policy forbids inline scripts.
(function () {
  var theme = null;
  try {
    theme = localStorage.getItem("flowtrace.theme");
  } catch {
    // Storage is blocked: follow the system.
  }
  var dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
