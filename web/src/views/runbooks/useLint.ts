import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { api } from '../../api/client'
import type { LintProblem } from '../../logic/lintPlace'

/** Typing rests this long before the server is asked. */
const REST_MS = 400

/** What the server says of a document. */
export interface Linted {
  /** The document it was said of. */
  text: string
  accepted: boolean
  problems: LintProblem[]
}

/** Judges a text as it is typed, by the same rules an import goes by. */
export function useLint(text: string) {
  const [settled] = useDebouncedValue(text, REST_MS)
  return useQuery({
    queryKey: ['/api/v1/runbooks/lint', settled],
    queryFn: async ({ signal }): Promise<Linted> => {
      const { data } = await api.POST('/api/v1/runbooks/lint', { body: { yaml: settled }, signal })
      return { text: settled, accepted: data?.accepted ?? false, problems: data?.problems ?? [] }
    },
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 60_000,
  })
}
