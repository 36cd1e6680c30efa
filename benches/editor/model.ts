// A model that does what the last message orders, as cheaply as can be: what is measured is the way of its parts, not
// their making. It behaves as one of Copilot's does: text parts as they come, at the end what they cost.
//
//   parts N TURNS   N parts of 24 bytes, each known beforehand, spread over so many turns of the event loop
//   paced N MS      N parts, one each MS milliseconds; each says when it was due, in microseconds since 1970
//   hold            one part, and then nothing until it is cancelled
//   weigh           how many messages it was given, and how long they are together

import { LanguageModelDataPart, LanguageModelTextPart } from "../../vscode-host/test/fake/vscode";

/** In bytes; what a word of an answer comes as, roughly, is 4. */
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
	/** So that no body is refused for its size. */
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

/** A part that comes late says all the same when it was due, as all after it do. */
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

/** What the model was told in one message: its text parts, joined. */
function textOf(message: Message | undefined): string {
	const texts = (message?.content ?? []).map((part) => (part as LanguageModelTextPart).value);
	return texts.length === 1 ? (texts[0] ?? "") : texts.join("");
}

/** All who wait for the next turn share one promise: a timer of their own would cost more than their part. */
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
