import { useNavigate, useRouterState } from '@tanstack/react-router'
import { useCallback } from 'react'

/**
 * What a view shows, kept in its URL: text by name. `set` changes some of it and leaves the rest;
 * an empty text or `undefined` takes a name out. It replaces the entry in the history, so that
 * going back leaves the view.
 */
export function useSearch(): [Record<string, string | undefined>, (change: Record<string, string | undefined>) => void] {
  const search = useRouterState({ select: (state) => state.location.search as Record<string, unknown> })
  const navigate = useNavigate()
  const set = useCallback(
    (change: Record<string, string | undefined>) => {
      void navigate({
        to: '.',
        search: ((now: Record<string, unknown>) => {
          const next = { ...now, ...change }
          return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined && value !== ''))
        }) as never,
        replace: true,
      })
    },
    [navigate],
  )
  const text: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(search)) {
    text[name] = typeof value === 'string' ? value : JSON.stringify(value)
  }
  return [text, set]
}
