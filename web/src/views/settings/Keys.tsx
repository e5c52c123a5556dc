import { Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { get } from '../../api/queries'
import { ApiKeys } from './ApiKeys'
import { ServiceAccounts } from './ServiceAccounts'

/** Services and AI agents, and the keys they and people come with. */
export function Keys() {
  return (
    <Stack gap="md">
      <ServiceAccounts />
      <ApiKeys />
      <Used />
    </Stack>
  )
}

/** What of the month's evaluations is used. */
function Used() {
  const usage = useQuery({ ...get('/api/v1/usage'), retry: false })
  if (!usage.data) return null
  const { used, limit, period, tier } = usage.data
  return (
    <Text size="sm" className="faint">
      Evaluations in {period}: {used.toLocaleString('en')}
      {typeof limit === 'number' ? ` of ${limit.toLocaleString('en')}` : ', without a limit'} (tier {tier}).
    </Text>
  )
}
