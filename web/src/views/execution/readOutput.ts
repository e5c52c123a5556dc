import { api } from '../../api/client'
import { Problem } from '../../api/problem'
import type { Part, Read } from '../../logic/outputParts'

/** The two streams of a step. */
export type Stream = 'stdout' | 'stderr'

/** Reads the output of a step run by parts: of its last attempt, unless another is given, from 1. */
export function outputOf(execution: string, step: string, stream: Stream, attempt?: number): Read {
  return async (from, most, signal, of = attempt): Promise<Part> => {
    const { data } = await api.GET('/api/v1/executions/{id}/steps/{step}/output', {
      params: { path: { id: execution, step }, query: { stream, from, most, attempt: of } }, signal,
    })
    if (!data) throw new Problem(200, { title: 'The output came without anything in it' })
    return { ...data, attempt: data.attempt ?? undefined }
  }
}
