// Amounts in pico-USD as people read them; the server's format_usd, for figures that move.

const PICO = 1e12;

export function usd(pusd) {
  const dollars = pusd / PICO;
  if (dollars === 0 || dollars >= 1) return `$${dollars.toFixed(2)}`;
  const digits = Math.min(12, 2 - Math.floor(Math.log10(dollars)));
  return `$${dollars.toFixed(Math.max(2, digits)).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

export function about(pusd) {
  return usd(Number(pusd.toPrecision(2)));
}
