// Lays the blocks on A4 sheets, numbers them, and repeats the sheets for every serial number. A form ends on the back
// of a leaf, and the contact sheet begins a leaf of its own, so that printing on both sides mixes nothing.
(function () {
  "use strict";
  var serials = JSON.parse(document.getElementById("serials").textContent);
  var made = document.createElement("div");
  document.body.insertBefore(made, document.body.firstChild);

  function mark(root, one) {
    root.querySelectorAll(".serial").forEach(function (place) { place.textContent = one[0]; });
    root.querySelectorAll(".qr").forEach(function (place) { place.innerHTML = one[1]; });
  }
  // Marked before anything is measured: the QR code takes room.
  if (serials.length) {
    mark(document, serials[0]);
    document.querySelectorAll("template").forEach(function (template) { mark(template.content, serials[0]); });
  }

  function fresh(template) {
    made.appendChild(document.getElementById(template).content.cloneNode(true));
    // A page number as wide as any: with it the foot may need a second line, which the body must leave room for.
    var at = made.lastElementChild.querySelector(".at");
    if (at) at.textContent = "88/88";
    return made.lastElementChild;
  }
  function full(sheet) {
    var body = sheet.querySelector(".body");
    return body.scrollHeight > body.clientHeight + 1;
  }
  function lay(flow, template) {
    var blocks = Array.from(flow.children), chunks = [], open = [];
    blocks.forEach(function (block) {
      open.push(block);
      if (!block.hasAttribute("data-keep")) { chunks.push(open); open = []; }
    });
    if (open.length) chunks.push(open);
    var sheet = fresh(template), sheets = [sheet];
    function put(list) { list.forEach(function (b) { sheet.querySelector(".body").appendChild(b); }); }
    function next() { sheet = fresh(template); sheets.push(sheet); }
    // As many rows as fit stay here; three at least on either side, or the whole table goes on.
    function split(list) {
      var table = list[list.length - 1], rows = Array.from(table.querySelectorAll("tbody tr"));
      if (rows.length < 6) return false;
      var rest = table.cloneNode(true), kept = rows.length;
      while (full(sheet) && kept > 0) { kept -= 1; rows[kept].remove(); }
      kept = Math.min(kept, rows.length - 3);
      if (kept < 3) { rows.forEach(function (row) { table.querySelector("tbody").appendChild(row); }); return false; }
      rows.slice(kept).forEach(function (row) { row.remove(); });
      Array.from(rest.querySelectorAll("tbody tr")).slice(0, kept).forEach(function (row) { row.remove(); });
      next();
      place([rest]);
      return true;
    }
    function place(list) {
      var alone = !sheet.querySelector(".body").children.length;
      put(list);
      if (!full(sheet) || split(list)) return;
      if (!alone) { list.forEach(function (b) { b.remove(); }); next(); place(list); return; }
      if (list.length > 1) {
        list.forEach(function (b) { b.remove(); });
        list.forEach(function (b) { place([b]); });
      }
    }
    chunks.forEach(place);
    flow.remove();
    return sheets;
  }

  var answers = lay(document.getElementById("flow"), "sheet");
  answers.forEach(function (sheet, i) { sheet.querySelector(".at").textContent = (i + 1) + "/" + answers.length; });
  if (answers.length % 2) fresh("empty-sheet");
  if (document.getElementById("contact")) {
    if (lay(document.getElementById("contact"), "contact-sheet").length % 2) fresh("empty-sheet");
  }
  var original = Array.from(made.children);
  serials.slice(1).forEach(function (one) {
    original.forEach(function (sheet) { mark(made.appendChild(sheet.cloneNode(true)), one); });
  });
  document.body.dataset.sheets = made.children.length;
})();
