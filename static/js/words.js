// The words of our modules in the page's language; what has no translation is English as it stands.

const data = document.getElementById("words");
const words = data ? JSON.parse(data.textContent) : {};

// _("At most %(most)s files go with a message.", { most: 10 })
export function _(text, values = {}) {
  return (words[text] ?? text).replace(/%\((\w+)\)s/g, (_, name) => values[name]);
}

// _ for a number: ngettext("%(n)s chat", "%(n)s chats", 3)
export function ngettext(one, many, n) {
  const forms = words[one] ?? [one, many];
  return _(forms[n === 1 ? 0 : 1], { n: number(n) });
}

const numbers = new Intl.NumberFormat(document.documentElement.lang || "en");

export function number(value) {
  return numbers.format(value);
}
