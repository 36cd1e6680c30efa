// The bridge's frames, read and written plainly: length, kind, stream, payload. No message is in pieces here.

/** One frame: a message is of kind 0, words of an answer are of kind 1. */
export function frame(kind, stream, text) {
	const payload = Buffer.from(text);
	const head = Buffer.alloc(9);
	head.writeUInt32LE(payload.length + 5, 0);
	head.writeUInt8(kind, 4);
	head.writeUInt32LE(stream, 5);
	return Buffer.concat([head, payload]);
}

/** Gives a function that takes what a socket brings, and hands on each message with its stream. */
export function reader(take) {
	let bytes = Buffer.alloc(0);
	return (chunk) => {
		bytes = Buffer.concat([bytes, chunk]);
		while (bytes.length >= 4) {
			const end = 4 + bytes.readUInt32LE(0);
			if (bytes.length < end) return;
			take(bytes.readUInt32LE(5), JSON.parse(bytes.subarray(9, end)));
			bytes = bytes.subarray(end);
		}
	};
}
