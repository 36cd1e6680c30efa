// Clients that send requests without pause while windows and servers start and end, and the outcome of each request.
import { dataOf } from "./dialects.mjs";

/** Starts clients that send one request after another until they are stopped; returns the outcome of every request. */
export function load(proxy, clients) {
	const outcomes = [];
	let isOver = false;
	const client = async (number) => {
		for (let round = 0; !isOver; round += 1) {
			const word = `c${number}r${round}`;
			const script = `wait:50\nsay:${word} and on\nwait:50\nsay: to the end`;
			outcomes.push(await outcomeOf(proxy, script, `${word} and on to the end`));
		}
	};
	const all = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
	const end = async () => {
		isOver = true;
		await all;
		return outcomes;
	};
	return { outcomes, end };
}

/** "whole", "broken" for a response that ends with an error after its first part, or a description of the failure. */
async function outcomeOf(proxy, script, expected) {
	try {
		const stream = await proxy.stream(script);
		if (stream.status !== 200) return `status ${stream.status}`;
		const data = await dataOf(stream);
		const said = data.map(({ choices }) => choices?.[0]?.delta.content ?? "").join("");
		if (data.at(-1) === "[DONE]") return said === expected ? "whole" : `wrong: ${said}`;
		return data.at(-1)?.error && said !== "" ? "broken" : `lost: ${JSON.stringify(data.at(-1))}`;
	} catch (error) {
		return `cut: ${error.message}`;
	}
}

/** The outcomes of requests that failed without any output. */
export function lost(outcomes) {
	return outcomes.filter((outcome) => outcome !== "whole" && outcome !== "broken");
}
