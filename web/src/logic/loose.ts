// Some answers of the API are declared as objects and nothing more. These read them without
// believing anything: what is missing or of another kind is left out, and nothing throws.

/** A value as an object; an empty one when it is none. */
export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

/** A value as a list; an empty one when it is none. */
export function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}

/** A text that says something; `undefined` for anything else. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A number that can be worked with; `undefined` for anything else. */
export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** The texts of a list; whatever else is in it is left out. */
export function asTexts(value: unknown): string[] {
  return asList(value).filter((one): one is string => typeof one === 'string')
}

/** A text as a web address somebody may follow; `undefined` unless it is http or https and nothing else. */
export function asWebAddress(text: string): string | undefined {
  if (!/^https?:\/\/[^\s]+$/i.test(text)) return undefined
  try {
    const url = new URL(text)
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined
  } catch {
    return undefined
  }
}
