// Encodes items of histories for tests, as the server's src/bridge/history/item.rs describes them.

const u32 = (number: number): Buffer => {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32LE(number);
	return bytes;
};

const string = (text: string): Buffer => {
	const bytes = Buffer.from(text);
	const isAscii = bytes.every((byte) => byte < 128);
	return Buffer.concat([u32(bytes.length * 2 + (isAscii ? 1 : 0)), bytes]);
};

const optional = (text?: string): Buffer =>
	text === undefined ? Buffer.of(0) : Buffer.concat([Buffer.of(1), string(text)]);

export const text = (content: string): Buffer => Buffer.concat([Buffer.of(0), string(content)]);

export const data = (mime: string, bytes: Buffer): Buffer =>
	Buffer.concat([Buffer.of(1), string(mime), u32(bytes.length), bytes]);

export const encodedData = (mime: string, base64: string): Buffer =>
	Buffer.concat([Buffer.of(2), string(mime), string(base64)]);

export const thinking = (content: string, id?: string, metadata?: object): Buffer =>
	Buffer.concat([
		Buffer.of(3),
		string(content),
		optional(id),
		optional(metadata && JSON.stringify(metadata)),
	]);

export const toolCall = (id: string, name: string, input: object): Buffer =>
	Buffer.concat([Buffer.of(4), string(id), string(name), string(JSON.stringify(input))]);

export const toolResult = (id: string, ...content: Buffer[]): Buffer =>
	Buffer.concat([Buffer.of(5), string(id), Buffer.of(0), u32(content.length), ...content]);

export type Speaker = "user" | "assistant" | "system";

/** The payload of an item with a message. */
export const message = (key: number, role: Speaker, ...parts: Buffer[]): Buffer =>
	Buffer.concat([u32(key), Buffer.of(["user", "assistant", "system"].indexOf(role)), optional(), ...parts]);

/** The payload of an item with tools. */
export const tools = (key: number, list: object[]): Buffer =>
	Buffer.concat([u32(key), Buffer.of(3), string(JSON.stringify(list))]);

/** The payload of a frame of keys. */
export const keys = (...all: number[]): Buffer => Buffer.concat(all.map(u32));
