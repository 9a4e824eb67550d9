// The administration's "default" Trusted Types policy, loaded before jQuery on its pages only.
//
// Django's stock admin assigns strings of HTML: jQuery tries the browser with them, inlines add
// a row of links, select2 its boxes. All of it is inert: known tags with known attributes. What
// passes here is exactly that grammar. No "<" may stand anywhere but at the start of a known
// tag, not even in a quoted value, so that no other reading of the string finds another tag.
// Scripts and script addresses are never made of strings.
"use strict";

(function () {
  const tags = "a|b|br|button|div|em|fieldset|form|h[1-6]|i|input|label|legend|li|ol|optgroup|option|p"
    + "|select|small|span|strong|table|tbody|td|textarea|tfoot|th|thead|tr|ul";
  const plain = "(?:class|id|name|for|type|value|title|role|tabindex|colspan|rowspan|multiple|checked"
    + "|disabled|selected|autocomplete|autocorrect|autocapitalize|spellcheck|dir|lang"
    + "|aria-[a-z]+|data-[a-z-]+)(?:\\s*=\\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[\\w-]+))?";
  // A link leads to this page or to a path of this site.
  const link = "href\\s*=\\s*(?:\"(?:#[^\"<>]*|/(?![/\\\\])[^\"<>]*|\\?[^\"<>]*)?\""
    + "|'(?:#[^'<>]*|/(?![/\\\\])[^'<>]*)?')";
  // select2 forgets the blank after a quoted value.
  const opening = `<(?:${tags})(?:(?:\\s+|(?<=["']))(?:${plain}|${link}))*\\s*/?>`;
  const inert = new RegExp(`^(?:[^<]|${opening}|</(?:${tags})\\s*>)*$`, "i");

  window.trustedTypes?.createPolicy("default", {
    createHTML(html, sink) {
      if (inert.test(html)) return html;
      console.error(`Refused HTML for ${sink}: ${html.slice(0, 200)}`);
      return null;
    },
  });
})();
