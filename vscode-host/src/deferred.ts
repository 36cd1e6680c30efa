// A promise with the function that resolves it.

export interface Deferred<T> {
	promise: Promise<T>;
	resolve: (value: T) => void;
}

export function deferred<T = void>(): Deferred<T> {
	let resolve: Deferred<T>["resolve"] = () => undefined;
	const promise = new Promise<T>((settle) => {
		resolve = settle;
	});
	return { promise, resolve };
}
