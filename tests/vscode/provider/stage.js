"use strict";
// Where one answer is performed: its time, its cancellation, and its line in the record that tests and `stats:` read.
const { setImmediate: turn } = require("node:timers/promises");

class Cancelled extends Error {}

/** Ways to wait that throw `Cancelled` when the token says so. */
function waiting(token) {
	const until = (start) =>
		new Promise((resolve, reject) => {
			if (token.isCancellationRequested) return reject(new Cancelled());
			const stop = start(() => {
				listener.dispose();
				resolve();
			});
			const listener = token.onCancellationRequested(() => {
				listener.dispose();
				stop();
				reject(new Cancelled());
			});
		});
	return {
		forever: () => until(() => () => {}),
		pause: async (ms) => {
			if (ms > 0) {
				return until((done) => {
					const timer = setTimeout(done, ms);
					return () => clearTimeout(timer);
				});
			}
			await turn();
			if (token.isCancellationRequested) throw new Cancelled();
		},
	};
}

/** How the requests of this record have come out; those that only asked for `stats:` don't count. */
function statsOf(requests) {
	const counted = requests.filter(({ counts }) => counts);
	const having = (outcome) => counted.filter((request) => request.outcome === outcome).length;
	return {
		started: counted.length,
		completed: having("completed"),
		failed: having("failed"),
		cancelled: having("cancelled"),
		active: having("active"),
	};
}

module.exports = { statsOf, waiting };
