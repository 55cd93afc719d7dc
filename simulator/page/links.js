// Text with its links as links; nothing else of it is taken as markup.

import { h } from "./dom.js";

const LINK = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)]/g;

/** The text in parts: the addresses in it open in another window. */
export function linked(body) {
  const parts = [];
  let at = 0;
  for (const match of body.matchAll(LINK)) {
    parts.push(body.slice(at, match.index));
    parts.push(h("a", { href: match[0], target: "_blank", rel: "noopener noreferrer" }, match[0].replace(/^https?:\/\//, "")));
    at = match.index + match[0].length;
  }
  return [...parts, body.slice(at)];
}
