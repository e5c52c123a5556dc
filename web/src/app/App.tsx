import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { asProblem } from '../api/problem'
import { alertWaits } from '../logic/alertWaits'
import { nonce } from './nonce'
import { router } from './router'
import { theme } from './theme'

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // The event stream says what changed. What no event tells of is asked for again when it is shown
      // anew after five minutes; lists are not (`api/queries`).
      staleTime: 5 * 60_000,
      refetchOnWindowFocus: false,
      // What the server refused it refuses again; what did not reach it may the next time.
      retry: (count, error) => {
        const { status } = asProblem(error)
        return count < 3 && (status === 0 || status >= 502)
      },
      retryDelay: (count) => Math.min(500 * 2 ** count, 8_000),
      networkMode: 'always',
    },
    mutations: { retry: false, networkMode: 'always' },
  },
})

// No event tells that no runbook answered an alert: while it waits for its turn it is asked for again.
queries.setQueryDefaults(['/api/v1/alerts/{id}'], {
  refetchInterval: ({ state }) => (alertWaits(state.data) ? 5_000 : false),
})

export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={nonce}>
      <QueryClientProvider client={queries}>
        <Notifications position="top-right" limit={4} />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  )
}
