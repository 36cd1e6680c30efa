// The command "Choose Default Model...": the setting `copilotProxy.defaultModel`, from the models there are.

import * as vscode from "vscode";
import type { ModelInfo } from "./protocol";
import type { Settings } from "./settings";

type Choice = vscode.QuickPickItem & { value: string };

export async function chooseDefaultModel(
	models: readonly ModelInfo[],
	settings: Pick<Settings, "write" | "userSettings">,
): Promise<void> {
	const current = settings.userSettings.default_model;
	const mark = (value: string) => (value === current ? "$(check) " : "");
	const choices: Choice[] = [
		{
			label: `${mark("")}${vscode.l10n.t("Copilot's first model")}`,
			description: vscode.l10n.t("the default"),
			value: "",
		},
		...models.map(({ id, name, vendor }) => ({
			label: `${mark(id)}${name}`,
			description: `${id} (${vendor})`,
			value: id,
		})),
	];
	const picked = await vscode.window.showQuickPick(choices, {
		title: vscode.l10n.t("Default Model"),
		placeHolder: vscode.l10n.t("Select the model for requests that name none"),
		matchOnDescription: true,
	});
	if (picked) {
		await settings.write("defaultModel", picked.value);
	}
}
