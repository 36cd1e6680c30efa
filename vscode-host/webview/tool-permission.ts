// The switch of each tool: whether auto mode may run it, and the patterns of `autoTools` after a change. Pure.

export interface AutoTools {
	allow: string[];
	deny: string[];
}

/** Whether a name matches a pattern with `*` and `?`. */
function fits(name: string, pattern: string): boolean {
	const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&");
	return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s").test(name);
}

export function mayRun(name: string, { allow, deny }: AutoTools): boolean {
	return allow.some((pattern) => fits(name, pattern)) && deniedBy(name, { allow, deny }) === undefined;
}

/** The pattern that denies a tool. */
export function deniedBy(name: string, { deny }: AutoTools): string | undefined {
	return deny.find((pattern) => fits(name, pattern));
}

/** The patterns that allow or deny a tool, and change no other tool. A pattern that denies several tools stays. */
export function withTool(name: string, allowed: boolean, autoTools: AutoTools): AutoTools {
	if (!allowed) {
		const allow = autoTools.allow.filter((pattern) => pattern !== name);
		const isAllowed = mayRun(name, { ...autoTools, allow });
		return { allow, deny: isAllowed ? [...autoTools.deny, name] : autoTools.deny };
	}
	const deny = autoTools.deny.filter((pattern) => pattern !== name);
	const isListed = autoTools.allow.some((pattern) => fits(name, pattern));
	return { allow: isListed ? autoTools.allow : [...autoTools.allow, name], deny };
}
