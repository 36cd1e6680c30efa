// Shows that a budget is nearly or quite used up, and sends the user's decision to the server.

import * as vscode from "vscode";
import type { BudgetNotice, FromEditor } from "./protocol";

const LIFT = vscode.l10n.t("Lift for Today");

/** Shows a notice; one about a used-up budget has buttons. */
export async function showBudgetNotice(
	{ budget, message, add }: BudgetNotice,
	send: (message: FromEditor) => void,
): Promise<void> {
	if (add === undefined) {
		await vscode.window.showWarningMessage(message);
		return;
	}
	const chosen = await vscode.window.showWarningMessage(message, add, LIFT);
	if (chosen === add) {
		send({ type: "change_budget", budget, change: "add" });
	} else if (chosen === LIFT) {
		send({ type: "change_budget", budget, change: "lift_today" });
	}
}
