// The button that prints: a page under this policy has no scripts of its own.
document.getElementById("print").addEventListener("click", () => window.print());
