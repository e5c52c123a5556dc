/**
 * Reading values of which only the outer shape is known: what is not there, or is of another kind,
 * becomes the empty value of its kind, so that a view never breaks on what it does not know.
 */
export type Fields = Record<string, unknown>

/** The fields of an object; none where it is no object. */
export const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}

/** The items of a list; none where it is no list. */
export const items = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** A text, a number or a truth value as text; empty for everything else. */
export const text = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''

/** A text that is there. */
export const maybe = (value: unknown): string | undefined => text(value) || undefined

/** A number, also one written as text, as exact decimals are; `undefined` where there is none. */
export function number(value: unknown): number | undefined {
  const found = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined
}

/** The texts of a list. */
export const texts = (value: unknown): string[] => items(value).map(text).filter((one) => one !== '')
