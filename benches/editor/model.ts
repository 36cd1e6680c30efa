// A model that obeys the last message as cheaply as possible, so that the transport of parts is measured, not their
// generation. Like Copilot's models it streams text parts and ends with their usage.
//
//   parts N TURNS   N parts of 24 bytes, each known beforehand, spread over so many turns of the event loop
//   paced N MS      N parts, one each MS milliseconds; each says when it was due, in microseconds since 1970
//   hold            one part, and then nothing until it is cancelled
//   weigh           how many messages it was given, and how long they are together

import { LanguageModelDataPart, LanguageModelTextPart } from "../../vscode-host/test/fake/vscode";

/** Size of a part in bytes; a token of a real response is about 4. */
const SIZE = 24;

export interface Message {
	content: unknown[];
}
export interface Token {
	isCancellationRequested: boolean;
	onCancellationRequested(listener: () => void): unknown;
}

export class Model {
	readonly vendor = "copilot";
	readonly id = "bench";
	readonly family = "bench";
	readonly version = "1";
	readonly name = "Bench";
	/** Large enough for every body. */
	readonly maxInputTokens = 100_000_000;

	async sendRequest(messages: readonly Message[], _options: object, token: Token) {
		return { stream: obey(messages, token) };
	}
}

async function* obey(messages: readonly Message[], token: Token): AsyncGenerator<unknown> {
	const [order, first, second] = textOf(messages.at(-1)).split(" ");
	switch (order) {
		case "parts":
			yield* parts(Number(first), Number(second));
			break;
		case "paced":
			yield* paced(Number(first), Number(second), token);
			break;
		case "hold":
			yield part(0);
			await new Promise<void>((resolve) => token.onCancellationRequested(resolve));
			return;
		case "weigh":
			yield new LanguageModelTextPart(weighed(messages));
			break;
		default:
			throw new Error(`an unknown order: ${order}`);
	}
	yield new LanguageModelDataPart(USAGE, "usage");
}

async function* parts(count: number, turns: number): AsyncGenerator<unknown> {
	const each = Math.ceil(count / turns);
	for (let number = 0; number < count; number += 1) {
		if (number > 0 && number % each === 0) {
			await nextTurn();
		}
		yield part(number);
	}
}

/** A late part has its due time, too, and doesn't shift those of later parts. */
async function* paced(count: number, every: number, token: Token): AsyncGenerator<unknown> {
	const start = performance.now();
	for (let number = 0; number < count && !token.isCancellationRequested; number += 1) {
		const due = start + number * every;
		const wait = due - performance.now();
		if (wait > 0) {
			await new Promise((resolve) => setTimeout(resolve, wait));
		}
		const moment = Math.round((performance.timeOrigin + due) * 1000);
		yield new LanguageModelTextPart(String(moment).padEnd(SIZE, "."));
	}
}

function weighed(messages: readonly Message[]): string {
	const units = messages.reduce((sum, message) => sum + textOf(message).length, 0);
	return `${messages.length} messages of ${units} units`;
}

/** The joined text parts of a message. */
function textOf(message: Message | undefined): string {
	const texts = (message?.content ?? []).map((part) => (part as LanguageModelTextPart).value);
	return texts.length === 1 ? (texts[0] ?? "") : texts.join("");
}

/** All responses share the promise of the next turn, since a timer for each would cost more than a part. */
let turn: Promise<void> | undefined;
function nextTurn(): Promise<void> {
	turn ??= new Promise((resolve) =>
		setImmediate(() => {
			turn = undefined;
			resolve();
		}),
	);
	return turn;
}

const known: LanguageModelTextPart[] = [];
function part(number: number): LanguageModelTextPart {
	known[number] ??= new LanguageModelTextPart(String(number).padEnd(SIZE, "."));
	return known[number];
}

const USAGE = Buffer.from('{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18}');
