// Encodes and decodes frames of the bridge: length, kind, stream, payload. Messages in pieces are not supported.

/** Encodes a frame: kind 0 is a message, kind 1 text of a response. */
export function frame(kind, stream, text) {
	const payload = Buffer.from(text);
	const head = Buffer.alloc(9);
	head.writeUInt32LE(payload.length + 5, 0);
	head.writeUInt8(kind, 4);
	head.writeUInt32LE(stream, 5);
	return Buffer.concat([head, payload]);
}

/** Returns a function that takes the bytes of a socket and passes on each message with its stream. */
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
