// Amounts in pico-USD as people read them; the server's words.usd, for figures that move.

const PICO = 1e12;
const language = document.documentElement.lang || "en";

export function usd(pusd) {
  const dollars = pusd / PICO;
  const small = dollars > 0 && dollars < 1;
  return new Intl.NumberFormat(language, {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: 2,
    maximumFractionDigits: small ? Math.min(12, 2 - Math.floor(Math.log10(dollars))) : 2,
  }).format(dollars);
}

export function about(pusd) {
  return usd(Number(pusd.toPrecision(2)));
}
