import htmx from "htmx.org";
import "./board.js";
import "./cell-edit.js";
import "./check.js";
import "./column-layout.js";
import "./copy.js";
import "./dialog.js";
import "./editing.js";
import "./keyboard.js";
import "./list-position.js";
import "./live.js";
import "./loading.js";
import "./menu.js";
import "./palette.js";
import "./table-select.js"; // before what else Escape does
import "./peek.js";
import "./receipt.js";
import "./reconnect.js";
import "./requests.js";
import "./reveal.js";
import "./sortable.js";
import "./time-zone.js";
import "./toast.js";
import "./tooltip.js";
import "./upload.js";

window.htmx = htmx;
