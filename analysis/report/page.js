// The page works without this: it lets a link end in #vi or #en, sorts tables by a press on a heading, and finds lines.
(function () {
  var words = {
    vi: { find: "Tìm trong bảng", sort: "Sắp xếp theo", none: "Không có dòng nào" },
    en: { find: "Find in the table", sort: "Sort by", none: "No such line" }
  };
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

  function fold(text) { // as people type it: without diacritics and case
    return text.toLowerCase().replace(/đ/g, "d").normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  }
  function number(cell, language) { // the first figure of a cell, as it is written in its language
    var found = /[\u2212-]?\d[\d.,]*/.exec(cell.textContent);
    if (!found) { return NaN; }
    var text = found[0].replace("\u2212", "-");
    return parseFloat(language === "vi" ? text.replace(/\./g, "").replace(",", ".") : text.replace(/,/g, ""));
  }
  function sortable(table, said, language) {
    var body = table.tBodies[0], heads = table.tHead.rows[0].cells, first = Array.from(body.rows);
    Array.from(heads).forEach(function (head, column) {
      if (first.every(function (row) { return row.cells[column].classList.contains("bar"); })) { return; }
      var button = document.createElement("button");
      button.type = "button";
      button.title = said.sort + ": " + head.textContent;
      while (head.firstChild) { button.appendChild(head.firstChild); }
      head.appendChild(button);
      button.addEventListener("click", function () {
        // Figures from the largest, words from A; a third press brings the printed order back.
        var numbers = column > 0 && first.some(function (row) { return !isNaN(number(row.cells[column], language)); });
        var turns = numbers ? ["descending", "ascending", ""] : ["ascending", "descending", ""];
        var next = turns[(turns.indexOf(head.getAttribute("aria-sort") || "") + 1) % 3];
        Array.from(heads).forEach(function (other) { other.removeAttribute("aria-sort"); });
        if (next) { head.setAttribute("aria-sort", next); }
        var sign = next === "descending" ? -1 : 1;
        var rows = next ? first.slice().sort(function (a, b) {
          var x = a.cells[column], y = b.cells[column];
          if (!numbers) { return sign * x.textContent.localeCompare(y.textContent, language); }
          var m = number(x, language), n = number(y, language);
          return isNaN(m) || isNaN(n) ? isNaN(m) - isNaN(n) : sign * (m - n);
        }) : first;
        rows.forEach(function (row) { body.appendChild(row); });
      });
    });
  }
  function findable(table, said) {
    var rows = Array.from(table.tBodies[0].rows), box = document.createElement("label"), input = document.createElement("input");
    var found = document.createElement("output");
    box.className = "find";
    input.type = "search";
    box.append(said.find + " ", input, found);
    var frame = table.closest(".scroll");
    frame.parentNode.insertBefore(box, frame);
    input.addEventListener("input", function () {
      var wanted = fold(input.value.trim()), shown = 0;
      rows.forEach(function (row) {
        row.hidden = wanted !== "" && fold(row.cells[0].textContent).indexOf(wanted) < 0;
        shown += row.hidden ? 0 : 1;
      });
      found.textContent = wanted === "" ? "" : shown ? " " + shown + "/" + rows.length : " " + said.none;
    });
  }
  document.querySelectorAll("article").forEach(function (article) {
    var said = words[article.lang] || words.en;
    article.querySelectorAll(".scroll table").forEach(function (table) {
      if (table.tBodies[0].rows.length > 2) { sortable(table, said, article.lang); }
      if (table.tBodies[0].rows.length > 12) { findable(table, said); }
    });
  });
})();
