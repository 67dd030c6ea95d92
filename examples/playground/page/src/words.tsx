// Words of the engine, as people read them.

/** A whole sentence. */
export const sentence = (text: string): string => text.replace(/^\p{Ll}/u, (first) => first.toUpperCase()).replace(/[^.?!…]$/u, "$&.");

/** What is between backticks is code. */
export const said = (text: string) => text.split(/(`[^`]+`)/).map((part) => (/^`[^`]+`$/.test(part) ? <code>{part.slice(1, -1)}</code> : part));
