// The words of our modules in the page's language; what has no translation is English as it stands.

const data = document.getElementById("words");
const words = data ? JSON.parse(data.textContent) : {};

// `values` fill the gaps of a text like "At most %(most)s files".
export function _(text, values = {}) {
  return (words[text] ?? text).replace(/%\((\w+)\)s/g, (_, name) => values[name]);
}

// The text for one or for many; `n` fills its gap.
export function ngettext(one, many, n) {
  const forms = words[one] ?? [one, many];
  return _(forms[n === 1 ? 0 : 1], { n: number(n) });
}

const numbers = new Intl.NumberFormat(document.documentElement.lang || "en");

export function number(value) {
  return numbers.format(value);
}
