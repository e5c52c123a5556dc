import { api } from '../../api/client'
import { fields, number, text } from '../../logic/json'
import type { Part, Read } from '../../logic/outputParts'

/** The two streams of a step. */
export type Stream = 'stdout' | 'stderr'

/** Reads the output of a step run by parts: of its last attempt, unless another is given, from 1. */
export function outputOf(execution: string, step: string, stream: Stream, attempt?: number): Read {
  const call = api.GET as unknown as (path: string, init: object) => Promise<{ data: unknown }>
  return async (from, most, signal): Promise<Part> => {
    const params = { path: { id: execution, step }, query: { stream, from, most, attempt } }
    const { data } = await call('/api/v1/executions/{id}/steps/{step}/output', { params, signal })
    const part = fields(data)
    const given = text(part.text)
    const begins = number(part.from) ?? from
    return {
      text: given,
      from: begins,
      next: number(part.next) ?? begins,
      size: number(part.size) ?? 0,
      ended: part.ended === true,
      truncated: part.truncated === true,
      attempt: number(part.attempt),
    }
  }
}

/** The whole output as a file. Tells how many bytes of how many were read. */
export async function wholeOutput(
  read: Read, stop: AbortSignal, tell: (read: number, size: number) => void,
): Promise<Blob> {
  // Each part is put away as it comes: all at once would hold the page up.
  const parts: Blob[] = []
  let from = 0
  for (;;) {
    const part = await read(from, 1 << 20, stop)
    if (part.text !== '') parts.push(new Blob([part.text]))
    tell(part.next, part.size)
    if (part.next >= part.size || part.next <= from) break
    from = part.next
  }
  return new Blob(parts, { type: 'text/plain;charset=utf-8' })
}
