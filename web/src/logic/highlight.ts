import type { Token } from './ansi'

/** A token, or a part of one, that is in the `hit`-th match of its line, from 0. */
export interface Marked extends Token {
  hit?: number
}

/** Cuts the tokens of a line where what was searched for begins and ends. Controls are no part of the text. */
export function highlight(tokens: readonly Token[], finds: RegExp | undefined): Marked[] {
  if (!finds) return [...tokens]
  const text = tokens.map((token) => (token.control === undefined ? token.text : '')).join('')
  const spans = [...text.matchAll(finds)].map((match) => [match.index, match.index + match[0].length] as const)
  if (spans.length === 0) return [...tokens]
  const marked: Marked[] = []
  let at = 0
  let hit = 0
  for (const token of tokens) {
    if (token.control !== undefined) {
      marked.push(token)
      continue
    }
    const end = at + token.text.length
    let from = at
    while (from < end) {
      while ((spans[hit]?.[1] ?? Infinity) <= from) hit += 1
      const [begins, ends] = spans[hit] ?? [Infinity, Infinity]
      const inside = begins <= from
      const to = Math.min(end, inside ? ends : begins)
      const text = token.text.slice(from - at, to - at)
      marked.push(inside ? { ...token, text, hit } : { ...token, text })
      from = to
    }
    at = end
  }
  return marked
}
