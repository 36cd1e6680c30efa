// Encodes screenshots as an animated GIF. All frames share one palette, and a frame holds only the pixels that changed.
import { createRequire } from "node:module";
import path from "node:path";
import { cache } from "./installed.mjs";

/** Colours of the palette without the transparent one. */
const COLORS = 127;

/** Encodes `frames`, each `{png, delay}` with the delay in milliseconds, as a GIF that repeats for ever. */
export function gifOf(frames) {
	const require = createRequire(path.join(cache, "pictures/package.json"));
	const { PNG } = require("pngjs");
	const { GIFEncoder, applyPalette, quantize } = require("gifenc");

	const images = merged(frames.map(({ png, delay }) => ({ image: PNG.sync.read(png), delay })));
	const { width, height } = images[0].image;
	const samples = [0, 0.25, 0.5, 0.75, 1].map((at) => images[Math.round(at * (images.length - 1))]);
	const palette = quantize(Buffer.concat(samples.map(({ image }) => image.data)), COLORS);
	const transparentIndex = palette.length;
	const colors = [...palette, [0, 0, 0]];

	const gif = GIFEncoder();
	let before;
	for (const { image, delay } of images) {
		const pixels = applyPalette(image.data, palette);
		const changed = before
			? pixels.map((color, at) => (color === before[at] ? transparentIndex : color))
			: pixels;
		gif.writeFrame(changed, width, height, {
			...(before ? {} : { palette: colors, repeat: 0 }),
			transparent: before !== undefined,
			transparentIndex,
			delay,
			dispose: 1,
		});
		before = pixels;
	}
	gif.finish();
	return gif.bytes();
}

/** The images, equal neighbours as one that is shown longer. */
function merged(images) {
	const all = [];
	for (const { image, delay } of images) {
		const last = all.at(-1);
		if (last?.image.data.equals(image.data)) last.delay += delay;
		else all.push({ image, delay });
	}
	return all;
}
