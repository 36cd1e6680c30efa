// The accessibility of a page, as axe-core judges it. setup.sh installs it.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "copilot-proxy");
const source = fs.readFileSync(path.join(cache, "axe/node_modules/axe-core/axe.min.js"), "utf8");

/** The violations in a frame, each as its rule and the elements that break it. */
export async function violations(frame) {
	await frame.evaluate(source);
	const found = await frame.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
	return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
