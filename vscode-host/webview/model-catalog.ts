// Which models there are: those of all windows, as the server tells; without a server those of this window. Pure.

import type { CatalogModel, ModelInfo } from "../src/protocol";

/** A model, and whether only other windows have it. */
export type Shown = CatalogModel & { isElsewhere: boolean };

export function shown(own: readonly ModelInfo[], offered: readonly CatalogModel[] | undefined): Shown[] {
	if (!offered) {
		return own.map((model) => ({ ...model, request_name: model.id, isElsewhere: false }));
	}
	const isOwn = ({ vendor, id }: ModelInfo) =>
		own.some((model) => model.vendor === vendor && model.id === id);
	return offered.map((model) => ({ ...model, isElsewhere: !isOwn(model) }));
}
