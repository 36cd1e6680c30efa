"use strict";
// The context of a response: waiting that can be cancelled, and the statistics that tests and `stats:` read.
const { setImmediate: turn } = require("node:timers/promises");

class Cancelled extends Error {}

/** Functions that wait, and throw `Cancelled` when the token is cancelled. */
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

/** Counts the outcomes of the requests; those with `stats:` are left out. */
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
