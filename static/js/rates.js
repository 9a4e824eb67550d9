// What a model takes at this chat's speed, for a prompt of so many tokens: pico-USD per token.

// dataset: of the model's radio button; null without a price
export function ratesOf({ rates }, tokens = 0) {
  const speeds = new Map(rates.split(" ").map((speed) => speed.split("=")));
  const tiers = speeds.get(document.getElementById("speed").value) ?? speeds.get("standard");
  if (!tiers) return null;
  const all = tiers.split(",").map((tier) => tier.split(":").map(Number));
  const [, input, cached, output] = all.findLast(([over]) => tokens > over) ?? all[0];
  return { input, cached, output };
}
