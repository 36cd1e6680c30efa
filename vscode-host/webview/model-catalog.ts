// The models to show: those of all windows while a server is attached, else those of this window. Pure.

import type { CatalogModel, ModelInfo } from "../src/protocol";

/** A model, and whether only other windows have it. */
export type Shown = CatalogModel & { isInOtherWindow: boolean };

export function shown(own: readonly ModelInfo[], offered: readonly CatalogModel[] | undefined): Shown[] {
	if (!offered) {
		return own.map((model) => ({ ...model, request_name: model.id, isInOtherWindow: false }));
	}
	const isOwn = ({ vendor, id }: ModelInfo) =>
		own.some((model) => model.vendor === vendor && model.id === id);
	return offered.map((model) => ({ ...model, isInOtherWindow: !isOwn(model) }));
}
