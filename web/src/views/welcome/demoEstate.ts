import { useQuery } from '@tanstack/react-query'
import { api } from '../../api/client'
import { asProblem } from '../../api/problem'
import type { Schema } from '../../api/client'

export type DemoEstate = Schema<'DemoEstateOut'>

/** The demo's estate; `null` where the server was started without one. */
export function useDemoEstate() {
  return useQuery({
    queryKey: ['/api/v1/demo-estate'],
    queryFn: async (): Promise<DemoEstate | null> => {
      try {
        const { data } = await api.GET('/api/v1/demo-estate', {})
        return data ?? null
      } catch (error) {
        if (asProblem(error).status === 404) return null
        throw error
      }
    },
  })
}
