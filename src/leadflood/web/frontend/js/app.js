import htmx from "htmx.org";
import "./check.js";
import "./copy.js";
import "./dialog.js";
import "./editing.js";
import "./keyboard.js";
import "./live.js";
import "./menu.js";
import "./palette.js";
import "./peek.js";
import "./receipt.js";
import "./requests.js";
import "./reveal.js";
import "./table-select.js";
import "./toast.js";
import "./tooltip.js";
import "./upload.js";

window.htmx = htmx;
