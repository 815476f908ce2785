"use strict";
// Tables are sorted by a click on a head, or Enter on it. What is no number goes last.
(function () {
  function compared(numeric, down) {
    return function (a, b) {
      if (a.by === "" || b.by === "") return (a.by === "") - (b.by === "");
      const order = numeric ? Number(a.by) - Number(b.by) : a.by.localeCompare(b.by, "en", { numeric: true });
      return down ? -order : order;
    };
  }
  for (const table of document.querySelectorAll("table")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach(function (head, column) {
      head.querySelector("button").addEventListener("click", function () {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => ({ row: row, by: row.cells[column].dataset.by }));
        rows.sort(compared(head.classList.contains("number"), down));
        body.append(...rows.map((r) => r.row));
      });
    });
  }
})();
