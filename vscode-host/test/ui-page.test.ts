// The copy of the page that the server includes for /ui.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(__dirname, "..", "..");

test("the server's copy of the page is up to date: npm run build writes it", () => {
	for (const file of ["panel.js", "panel.css"]) {
		const built = readFileSync(join(ROOT, "out", file), "utf8");
		const copy = readFileSync(join(ROOT, "..", "src", "http", "ui", "page", file), "utf8");
		assert.ok(built === copy, file);
	}
});
