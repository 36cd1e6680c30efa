"use strict";
// Converts VS Code's messages and options to plain data, and plain parts and failures to VS Code's classes, so that the
// other modules don't depend on VS Code.
const vscode = require("vscode");

/** A request as plain data. */
function requestFrom(messages, { tools = [], toolMode, modelOptions = {} }) {
	return {
		messages: messages.map(({ role, content }) => ({
			role: role === vscode.LanguageModelChatMessageRole.Assistant ? "assistant" : "user",
			parts: content.map(plainPart),
		})),
		tools: tools.map(({ name, description, inputSchema = null }) => ({ name, description, inputSchema })),
		toolMode: toolMode === vscode.LanguageModelChatToolMode.Required ? "required" : "auto",
		modelOptions,
	};
}

function plainPart(part) {
	if (part instanceof vscode.LanguageModelTextPart) return { type: "text", text: part.value };
	if (part instanceof vscode.LanguageModelDataPart)
		return { type: "data", mime: part.mimeType, data: part.data };
	if (part instanceof vscode.LanguageModelThinkingPart)
		return { type: "thinking", text: [part.value].flat().join("") };
	if (part instanceof vscode.LanguageModelToolCallPart) {
		return { type: "tool_call", id: part.callId, name: part.name, input: part.input };
	}
	if (part instanceof vscode.LanguageModelToolResultPart) {
		const texts = part.content.filter((each) => each instanceof vscode.LanguageModelTextPart);
		const data = part.content.filter((each) => each instanceof vscode.LanguageModelDataPart);
		return {
			type: "tool_result",
			id: part.callId,
			text: texts.map(({ value }) => value).join(""),
			data: data.map(({ mimeType: mime, data }) => ({ type: "data", mime, data })),
		};
	}
	return { type: "unknown", value: String(part) };
}

/** Converts a plain part of a response to VS Code's class. */
function partFor({ type, ...part }) {
	switch (type) {
		case "text":
			return new vscode.LanguageModelTextPart(part.text);
		case "thinking":
			return new vscode.LanguageModelThinkingPart(part.text);
		case "tool_call":
			return new vscode.LanguageModelToolCallPart(part.id, part.name, part.input);
		case "data":
			return new vscode.LanguageModelDataPart(part.data, part.mime);
		default:
			throw new Error(`no part of an answer: ${type}`);
	}
}

/** The error as Copilot's provider throws it: one of VS Code's codes, or any other word as the error's name. */
function errorFor({ code, message }) {
	switch (code) {
		case "Blocked":
			return vscode.LanguageModelError.Blocked(message);
		case "NoPermissions":
			return vscode.LanguageModelError.NoPermissions(message);
		case "NotFound":
			return vscode.LanguageModelError.NotFound(message);
		case "ChatQuotaExceeded":
			return Object.assign(new vscode.LanguageModelError(message), { name: code });
		default:
			return Object.assign(new Error(message), { name: code });
	}
}

module.exports = { errorFor, partFor, requestFrom };
