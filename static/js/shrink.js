// A photograph that is heavier than Anthropic takes is made smaller, before it is sent anywhere.

const LONGEST = 2_000; // pixels of an edge: so any number of them can be sent together
const DRAWABLE = /^image\/(png|jpeg|webp)$/;

// The file, or a smaller picture of it.
export async function shrunk(file) {
  if (!DRAWABLE.test(file.type)) return file;
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return file; // the server says what is wrong with it
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((edge) => Math.round(edge * scale));
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d");
  pen.fillStyle = "white"; // JPEG has no transparency
  pen.fillRect(0, 0, width, height);
  pen.drawImage(picture, 0, 0, width, height);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.88 });
  return new File([blob], file.name.replace(/\.\w+$|$/, ".jpg"), { type: blob.type });
}
