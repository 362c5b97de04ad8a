// The page works without this: it lets a link end in #vi or #en, and tells the browser which language is shown.
(function () {
  function show(language) {
    var button = document.getElementById("show-" + language);
    if (button) { button.checked = true; document.documentElement.lang = language; }
  }
  ["vi", "en"].forEach(function (language) {
    document.getElementById("show-" + language).addEventListener("change", function () { show(language); });
  });
  function fromAddress() { show(location.hash.slice(1)); }
  window.addEventListener("hashchange", fromAddress);
  fromAddress();
})();
