// The desk: one page that never navigates. Order matters: htmx is there before its extension, the clock before the line.
import "../../../design/islands/islands";
import "./morph";
import "./live";
import "./sound";
import "./keys";
import "./dialog";
import "./draft";
import "./typed";
import "./panes";
import "./softphone";
import "./pop";
